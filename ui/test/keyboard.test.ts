import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, door, open, settle, user, withConnection, withProvider } from './support';

async function press(keys: string) {
  await user.keyboard(keys);
  await settle();
}

async function opened() {
  const behind = door();
  withConnection(behind, withProvider(behind));
  await open(behind);
  return behind;
}

describe('keys', () => {
  it('n adds a provider, and the name has the focus', async () => {
    await opened();
    await press('n');
    expect(document.activeElement).toBe(screen.getByTestId('field-name'));
  });

  it('/ goes to the filter, Escape empties and then leaves it', async () => {
    await opened();
    await press('/');
    const filter = screen.getByTestId<HTMLInputElement>('filter');
    expect(document.activeElement).toBe(filter);
    await press('sand{Escape}');
    expect([filter.value, document.activeElement === filter]).toEqual(['', true]);
    await press('{Escape}');
    expect(document.activeElement).not.toBe(filter);
  });

  it('l locks, and only when nothing is typed', async () => {
    await opened();
    await press('/');
    await press('lln?');
    expect(screen.getByTestId<HTMLInputElement>('filter').value).toBe('lln?');
    await press('{Escape}{Escape}');
    await press('{Control>}l{/Control}');
    expect(screen.queryByTestId('lock-screen')).toBeNull();
    await press('l');
    expect(screen.getByTestId('lock-screen')).toBeTruthy();
  });

  it('? lists them all, and Escape closes the list', async () => {
    await opened();
    await press('?');
    const help = screen.getByTestId('help-dialog').textContent;
    for (const key of ['n', '/', 'l', '?', 'Esc']) expect(help).toContain(key);
    await press('n');
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
  const behind = await opened();
  await click('disconnect');
  expect(document.activeElement?.textContent).toContain('Cancel');
  await press('{Enter}');
  expect(behind.lines.some((line) => line.startsWith('DELETE'))).toBe(false);
});

it('every control is reached by Tab, in the order in which it stands', async () => {
  await opened();
  const reached: (string | undefined)[] = [];
  for (let n = 0; n < 16; n += 1) {
    await user.tab();
    const at = document.activeElement as HTMLElement | null;
    reached.push(at?.dataset['testid']);
  }
  expect(reached.slice(1)).toEqual([
    'nav-providers',
    'nav-apps',
    'nav-activity',
    'nav-settings',
    'help',
    'lock',
    'filter',
    'add-provider',
    'connect-sandbox',
    'edit-sandbox',
    'copy-token',
    'refresh',
    'pause',
    'edit-label',
    'disconnect',
  ]);
});
