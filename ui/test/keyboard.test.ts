import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, newTransport, open, settle, user, withConnection, withProvider } from './support';

async function press(keys: string) {
  await user.keyboard(keys);
  await settle();
}

async function opened() {
  const transport = newTransport();
  withConnection(transport, withProvider(transport));
  await open(transport);
  return transport;
}

describe('keys', () => {
  it('Control+N adds a provider, and the search has the focus', async () => {
    await opened();
    await press('{Control>}n{/Control}');
    expect(document.activeElement).toBe(screen.getByTestId('preset-search'));
  });

  it('Control+K goes to the filter, Escape empties and then leaves it', async () => {
    await opened();
    await press('{Control>}k{/Control}');
    const filter = screen.getByTestId<HTMLInputElement>('filter');
    expect(document.activeElement).toBe(filter);
    await press('sand{Escape}');
    expect([filter.value, document.activeElement === filter]).toEqual(['', true]);
    await press('{Escape}');
    expect(document.activeElement).not.toBe(filter);
  });

  it('Control+L locks, also while something is typed', async () => {
    await opened();
    await press('{Control>}k{/Control}');
    await press('lln?');
    expect(screen.getByTestId<HTMLInputElement>('filter').value).toBe('lln?');
    await press('{Control>}l{/Control}');
    expect(screen.getByTestId('lock-screen')).toBeTruthy();
  });

  it('none is a single character: no letter or sign alone does anything (WCAG 2.1.4)', async () => {
    const transport = await opened();
    const before = document.body.innerHTML;
    const lines = transport.lines.length;
    for (const key of 'abcdefghijklmnopqrstuvwxyzLN0123456789/?.,;:-+*#<>!') await press(key);
    expect(document.body.innerHTML).toBe(before);
    expect(transport.lines).toHaveLength(lines);
  });

  it('F1 lists them all, and Escape closes the list', async () => {
    await opened();
    await press('{F1}');
    const help = screen.getByTestId('help-dialog').textContent;
    for (const key of ['Ctrl+N', 'Ctrl+K', 'Ctrl+L', 'F1', 'Esc']) expect(help).toContain(key);
    await press('{Control>}n{/Control}');
    expect(screen.queryByTestId('provider-form')).toBeNull();
    await press('{Escape}');
    expect(screen.queryByTestId('help-dialog')).toBeNull();
  });
});

it('a dialog takes the focus, Enter in its field goes on, and the focus goes back to the button', async () => {
  await opened();
  await click('edit-label');
  expect(document.activeElement).toBe(screen.getByTestId('field-label'));
  await press('work{Enter}');
  expect(screen.queryByTestId('label-dialog')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId('edit-label'));
});

it('the confirmation of a disconnect starts at Cancel, so that Enter by accident destroys nothing', async () => {
  const transport = await opened();
  await click('disconnect');
  expect(document.activeElement?.textContent).toContain('Cancel');
  await press('{Enter}');
  expect(transport.lines.some((line) => line.startsWith('DELETE'))).toBe(false);
});

it('every control is reached by Tab, in the order in which it stands', async () => {
  const transport = await opened();
  transport.engine.setVault({ ...transport.engine.vault, slots: ['keyring', 'recovery_code'] });
  await settle();
  const reached: (string | undefined)[] = [];
  for (let n = 0; n < 18; n += 1) {
    await user.tab();
    const at = document.activeElement as HTMLElement | null;
    reached.push(at?.dataset['testid']);
  }
  expect(reached.slice(1)).toEqual([
    'nav-providers',
    'nav-apps',
    'nav-tools',
    'nav-activity',
    'nav-settings',
    'help',
    'lock',
    'filter',
    'add-provider',
    'connect-sandbox',
    'check-sandbox',
    'edit-sandbox',
    'copy-token',
    'refresh',
    'pause',
    'edit-label',
    'disconnect',
  ]);
});
