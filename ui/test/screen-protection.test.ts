import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { anApp, aGrant } from '../dev/memory/samples';
import { nextId } from '../dev/memory/engine';
import { body, click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

function scene() {
  const transport = newTransport();
  const provider = withProvider(transport);
  const connection = withConnection(transport, provider, { name: 'sandbox', status: 'active' });
  const app = anApp({ id: nextId(), name: 'backup' });
  app.grants = [aGrant(app, { id: nextId(), scopes: ['tokens:read'], connections: [connection.id] })];
  transport.engine.apps.set(app.id, app);
  transport.engine.log({
    kind: 'token_handed_out',
    caller: 'app',
    app_id: app.id,
    connection_id: connection.id,
    outcome: 'done',
    rule: 'grant',
    token_scope: 'read write',
    token_expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  return { transport, connection, app };
}

it('one button cuts off everything, after a question, and says what the provider did', async () => {
  const { transport } = scene();
  await open(transport);
  await click('nav-settings');
  await click('cut-off-all');
  expect(transport.lines).not.toContain('POST /v1/revoke');
  await click('confirm-cut-off');
  expect(body(transport, 'POST /v1/revoke')).toEqual({ all: true });
  expect(text('cut-off-ended')).toContain('1 grant');
  expect(text('cut-off-result')).toContain('Revoked at the provider');
  expect(screen.queryByTestId('cut-off-left')).toBeNull();
  await click('cut-off-close');
  expect(screen.queryByTestId('cut-off-dialog')).toBeNull();
});

it('what the provider did not confirm is never called revoked', async () => {
  for (const revoked of ['no', 'pending', 'unsupported'] as const) {
    const { transport, connection } = scene();
    transport.engine.revoked = revoked;
    const window = await open(transport);
    await click('cut-off-connection');
    await click('confirm-cut-off');
    expect(body(transport, 'POST /v1/revoke')).toEqual({ connection: connection.id });
    expect(text('cut-off-result')).toContain('Not revoked');
    expect(text('cut-off-left')).toContain('1 connection was not revoked');
    expect(text('still-valid')).toContain('backup');
    expect(text('still-valid')).toMatch(/in 59 min/);
    window.unmount();
  }
});

it('an app is cut off on its own card, and a failure leaves the question open', async () => {
  const { transport, app } = scene();
  await open(transport);
  await click('nav-apps');
  await click('cut-off-app');
  transport.failNext('POST /v1/revoke', { code: 'conflict', message: 'this profile may only be read' });
  await click('confirm-cut-off');
  expect(text('cut-off-dialog')).toContain('only be read');
  await click('confirm-cut-off');
  expect(body(transport, 'POST /v1/revoke')).toEqual({ app: app.id });
  expect(screen.getByTestId('cut-off-ended')).toBeTruthy();
});

it('the audit shows who got what, filtered, and exports what it shows', async () => {
  const { transport, app, connection } = scene();
  await open(transport);
  await click('nav-activity');
  await click('show-audit');
  expect(transport.lines.some((line) => line.startsWith('GET /v1/audit?since='))).toBe(true);
  expect(text('audit-entry')).toContain('backup');
  expect(text('audit-entry')).toContain('read write');
  expect(text('audit-entry')).toMatch(/in 59 min/);
  await user.selectOptions(screen.getByTestId('field-period'), 'all');
  await user.selectOptions(screen.getByTestId('field-audit-app'), app.id);
  await user.selectOptions(screen.getByTestId('field-connection'), connection.id);
  await settle();
  expect(transport.lines).toContain(`GET /v1/audit?app=${app.id}&connection=${connection.id}`);
  await click('export-csv');
  const query = { app: app.id, connection: connection.id };
  expect(transport.exports).toEqual([{ what: 'audit', format: 'csv', query }]);
  expect(text('toast')).toContain('tokenry-export');
  await type('field-program', '/usr/bin/other{Enter}'.replace('{Enter}', ''));
  await user.type(screen.getByTestId('field-program'), '{Enter}');
  await settle();
  expect(screen.queryByTestId('audit-entry')).toBeNull();
  await click('show-events');
  expect(screen.getAllByTestId('event').length).toBeGreaterThan(0);
  await user.selectOptions(screen.getByTestId('field-outcome'), 'done');
  await click('export-events-lines');
  expect(transport.exports.at(-1)).toEqual({ what: 'events', format: 'json_lines', query: { outcome: 'done' } });
});

it('the log is checked on demand, and what is wrong is named by its number', async () => {
  const { transport } = scene();
  await open(transport);
  await click('nav-activity');
  await click('show-audit');
  await click('verify-log');
  expect(text('log-whole')).toContain('is whole');
  transport.engine.damagedLines = 1;
  await click('verify-log');
  expect(text('log-not-whole')).toContain('2 damaged');
});

it('the check of the vault says what is right and names what is wrong', async () => {
  const { transport } = scene();
  await open(transport);
  await click('nav-settings');
  await click('check-vault');
  expect(text('vault-whole')).toContain('as it should be');
  transport.engine.damaged = [{ part: 'tokens', row: 7, name: 'sandbox', text: 'it does not open' }];
  await click('check-vault');
  expect(text('vault-problem')).toContain('sandbox');
  expect(text('vault-problem')).toContain('row 7');
  expect(text('vault-wrong')).toContain('tokenry vault salvage');
  const parts = screen.getAllByTestId('checked-part').map(({ dataset }) => dataset['whole']);
  expect(parts).toContain('false');
});
