import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { body, click, newTransport, open, settle, text, user } from './support';

it('the HTTP API is off until it is switched on, and its address is shown', async () => {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  expect([screen.getByTestId<HTMLInputElement>('field-loopback').checked, text('loopback-state')]).toEqual([
    false,
    'Off',
  ]);
  await click('field-loopback');
  expect(body(transport, 'PUT /v1/settings')).toEqual({ loopback: true });
  expect(text('loopback-state')).toBe('On, at 127.0.0.1:49200');
  expect(document.body.textContent).toContain('loopback.json');
  await click('field-loopback');
  expect(body(transport, 'PUT /v1/settings')).toEqual({ loopback: false });
  expect(text('loopback-state')).toBe('Off');
});

it('the address of the HTTP API, which the engine knows a moment after the switch, is shown', async () => {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  transport.engine.settings = { ...transport.engine.settings, loopback: true, loopback_port: null };
  transport.engine.log({ kind: 'settings_changed' });
  await settle();
  expect(text('loopback-state')).toBe('Off');
  transport.engine.settings = { ...transport.engine.settings, loopback: true, loopback_port: 49200 };
  transport.engine.setVault(transport.engine.vault);
  await settle();
  expect(text('loopback-state')).toBe('On, at 127.0.0.1:49200');
});

it('a switch that could not be set stays as it was, and says why', async () => {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  transport.failNext('PUT /v1/settings', { code: 'conflict', message: 'the port is taken' });
  await click('field-loopback');
  expect(screen.getByTestId<HTMLInputElement>('field-loopback').checked).toBe(false);
  expect(text('toast')).toContain('The port is taken'.toLowerCase());
});

it('a change from elsewhere is seen', async () => {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  await transport.request('PUT', '/v1/settings', { loopback: true });
  await settle();
  expect(text('loopback-state')).toContain('49200');
});

it('asking for the passphrase is switched with the passphrase, and not without one in the vault', async () => {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  expect(screen.queryByTestId('switch-passphrase')).toBeNull();
  expect(document.body.textContent).toContain('needs a vault with a passphrase');
  transport.engine.setVault({ ...transport.engine.vault, slots: ['passphrase'] });
  await settle();
  await user.type(screen.getByTestId('settings-passphrase'), 'correct horse');
  await click('switch-passphrase');
  expect(body(transport, 'PUT /v1/settings')).toEqual({ ask_passphrase: true, passphrase: 'correct horse' });
  expect(screen.getByTestId<HTMLInputElement>('settings-passphrase').value).toBe('');
  expect(text('switch-passphrase')).toContain('Turn off');
});

it('the socket for the clients of oidc-agent is off until it is switched on', async () => {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  const field = () => screen.getByTestId<HTMLInputElement>('field-oidc_agent');
  expect(field().checked).toBe(false);
  await click('field-oidc_agent');
  expect(body(transport, 'PUT /v1/settings')).toEqual({ oidc_agent: true });
  expect(field().checked).toBe(true);
});
