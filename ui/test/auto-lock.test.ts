import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { body, click, newTransport, open, settle, text, user } from './support';

const box = (name: string) => screen.getByTestId<HTMLInputElement>(`field-${name}`);

async function settings() {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  await settle();
  return transport;
}

it('auto-lock is off, and each switch says what it relies on here', async () => {
  await settings();
  for (const name of ['screen_lock', 'suspend', 'user_switch']) expect(box(name).checked).toBe(false);
  expect(box('idle_minutes').value).toBe('0');
  const shown = text('auto-lock');
  expect(shown).toContain('Reported by org.gnome.ScreenSaver.');
  expect(shown).toContain('Not available: no session of logind');
  expect(shown).toContain('does not report when you are idle');
});

it('a switch and the idle time are sent alone and shown as the engine has them', async () => {
  const transport = await settings();
  await click('field-suspend');
  expect(body(transport, 'PUT /v1/settings')).toEqual({ auto_lock: { suspend: true } });
  expect(box('suspend').checked).toBe(true);
  await user.selectOptions(box('idle_minutes'), '15');
  await settle();
  expect(body(transport, 'PUT /v1/settings')).toEqual({ auto_lock: { idle_minutes: 15 } });
  expect([box('idle_minutes').value, box('suspend').checked]).toEqual(['15', true]);
  await user.selectOptions(box('idle_minutes'), '0');
  await settle();
  expect(transport.engine.settings.auto_lock.idle_minutes).toBeNull();
});

it('an idle time that was set elsewhere is shown', async () => {
  const transport = newTransport();
  transport.engine.settings.auto_lock.idle_minutes = 42;
  await open(transport);
  await click('nav-settings');
  await settle();
  expect(box('idle_minutes').value).toBe('42');
  expect(text('auto-lock')).toContain('After 42 minutes');
});

it('tokens while locked come with a warning, and only then a grant can have them', async () => {
  const transport = await settings();
  transport.engine.putApp({
    id: 'a1',
    name: 'backup',
    redirect_uris: [],
    public: false,
    grants: [],
    created_at: new Date().toISOString(),
    last_used_at: null,
  });
  expect(screen.queryByTestId('tokens-warning')).toBeNull();
  await click('field-tokens_while_locked');
  expect(text('tokens-warning')).toContain('in memory');
  await click('nav-apps');
  await settle();
  await click('give-grant');
  expect(screen.queryByTestId('field-while_locked')).toBeNull();
  await click('scope-tokens:read');
  await settle();
  expect(box('while_locked').checked).toBe(false);
});

it('the lock screen says what waits for the vault, and can dismiss it', async () => {
  const transport = newTransport();
  transport.engine.vault = { state: 'locked', slots: ['keyring'], read_only: false };
  await open(transport);
  expect(screen.queryByTestId('unlock-request')).toBeNull();
  transport.engine.setUnlockRequests([{ program: '/usr/bin/mbsync', pid: 7 }]);
  await settle();
  expect(text('unlock-request')).toContain('A program waits until you unlock the vault: /usr/bin/mbsync');
  await click('dismiss-unlock');
  expect(transport.lines).toContain('DELETE /v1/unlock-requests');
  expect(screen.queryByTestId('unlock-request')).toBeNull();
});
