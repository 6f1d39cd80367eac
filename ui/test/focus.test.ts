/** The focus never falls to the page, and what was typed is not dropped by accident. */
import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

async function press(keys: string) {
  await user.keyboard(keys);
  await settle();
}

async function opened() {
  const transport = newTransport();
  const provider = withProvider(transport);
  const connection = withConnection(transport, provider);
  await open(transport);
  return { transport, provider, connection };
}

/** By keyboard, without a mouse. */
async function enter(testid: string) {
  screen.getByTestId(testid).focus();
  await press('{Enter}');
}

describe('the focus', () => {
  it('stays at the button after Pause and after Resume', async () => {
    await opened();
    await enter('pause');
    expect(document.activeElement).toBe(screen.getByTestId('resume'));
    await enter('resume');
    expect(document.activeElement).toBe(screen.getByTestId('pause'));
  });

  it('goes to what was saved after Save', async () => {
    await opened();
    await click('edit-sandbox');
    await enter('save-provider');
    expect(document.activeElement).toBe(screen.getByTestId('provider-sandbox'));
  });

  it('goes to the window after Unlock, and to the lock screen after Lock', async () => {
    await opened();
    await enter('lock');
    expect(screen.getByTestId('lock-screen').contains(document.activeElement)).toBe(true);
    await enter('unlock-keyring');
    expect(document.activeElement).toBe(screen.getByRole('main'));
  });

  it('goes to the row when its button is gone, and to the provider when the row is', async () => {
    const { transport, connection } = await opened();
    screen.getByTestId('copy-token').focus();
    transport.engine.putConnection({ ...connection, status: 'disconnecting' });
    await settle();
    expect(document.activeElement).toBe(screen.getByTestId('connection-sandbox'));
    transport.engine.removeConnection(connection.id);
    await settle();
    expect(document.activeElement).toBe(screen.getByTestId('provider-sandbox'));
  });

  it('goes to the provider after a disconnect', async () => {
    await opened();
    await enter('disconnect');
    await enter('confirm-disconnect');
    expect(screen.queryByTestId('connection-sandbox')).toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId('provider-sandbox'));
  });

  it('goes back to the button after a dialog, however it ends', async () => {
    await opened();
    for (const keys of ['{Escape}', '{Enter}']) {
      await enter('edit-label');
      await press(keys);
      expect(document.activeElement).toBe(screen.getByTestId('edit-label'));
    }
  });

  it('that the user took away is not brought back', async () => {
    const { transport, connection } = await opened();
    screen.getByTestId('copy-token').focus();
    screen.getByTestId('copy-token').blur();
    await settle();
    transport.engine.removeConnection(connection.id);
    await settle();
    expect(document.activeElement).toBe(document.body);
  });
});

describe('a form with something typed', () => {
  const typed = () => screen.getByTestId<HTMLInputElement>('field-client_id').value;

  it.each(['nav-activity', 'nav-apps', 'nav-providers', 'nav-settings'])(
    'asks before %s leaves it, and Keep editing keeps it',
    async (tab) => {
      await opened();
      await click('add-provider');
      await click('by-hand');
      await type('field-client_id', 'abc');
      await click(tab);
      expect(text('unsaved-dialog')).toContain('unsaved changes');
      expect(document.activeElement).toBe(screen.getByTestId('keep-editing'));
      await click('keep-editing');
      expect(typed()).toBe('abc');
      await click(tab);
      await click('discard');
      expect(screen.queryByTestId('provider-form')).toBeNull();
    },
  );

  it('asks before Escape outside a field drops it; Escape again goes on with it', async () => {
    await opened();
    await click('add-provider');
    await click('by-hand');
    await type('field-client_id', 'abc');
    screen.getByTestId('save-provider').focus();
    await press('{Escape}');
    expect(screen.getByTestId('unsaved-dialog')).toBeTruthy();
    await press('{Escape}');
    expect(screen.queryByTestId('unsaved-dialog')).toBeNull();
    expect(typed()).toBe('abc');
  });

  it('is left at once when nothing was typed, by Cancel, and by Lock', async () => {
    await opened();
    await click('add-provider');
    await click('by-hand');
    screen.getByTestId('save-provider').focus();
    await press('{Escape}');
    expect(screen.queryByTestId('provider-form')).toBeNull();
    await click('add-provider');
    await click('by-hand');
    await type('field-client_id', 'abc');
    await click('cancel-form');
    expect(screen.queryByTestId('provider-form')).toBeNull();
    await click('add-provider');
    await click('by-hand');
    await type('field-client_id', 'abc');
    await press('{Control>}l{/Control}');
    expect(screen.getByTestId('lock-screen')).toBeTruthy();
    await click('unlock-keyring');
    expect(screen.queryByTestId('provider-form')).toBeNull();
  });

  it('in a dialog is dropped by the second Escape only', async () => {
    await opened();
    await click('add-credential');
    await type('field-name', 'weather-key');
    await press('{Escape}');
    expect(text('unsaved')).toContain('unsaved changes');
    expect(screen.getByTestId<HTMLInputElement>('field-name').value).toBe('weather-key');
    await press('{Escape}');
    expect(screen.queryByTestId('credential-dialog')).toBeNull();
  });
});
