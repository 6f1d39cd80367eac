import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { nextId } from '../dev/memory/engine';
import { aCredential, aGrant, anApp } from '../dev/memory/samples';
import { body, click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

async function apps() {
  const transport = newTransport();
  const connection = withConnection(transport, withProvider(transport));
  const credential = aCredential({ id: nextId(), name: 'weather-key' });
  transport.engine.credentials.set(credential.id, credential);
  const app = anApp({ id: nextId(), name: 'release-notes', redirect_uris: ['http://127.0.0.1/callback'] });
  const grant = aGrant(app, { id: nextId(), scopes: ['tokens:read'], connections: [connection.id] });
  transport.engine.apps.set(app.id, { ...app, grants: [grant] });
  await open(transport);
  await click('nav-apps');
  return { transport, app, grant, connection, credential };
}

it('an app is shown with its client id, where its codes go, and what it may do with what', async () => {
  const { app } = await apps();
  const card = text('app-release-notes');
  for (const part of [
    app.id,
    'http://127.0.0.1/callback',
    'Get access tokens of the connections you choose',
    'sandbox',
  ]) {
    expect(card).toContain(part);
  }
  await click('copy-client-id');
  expect(text('toast')).toContain('Copied');
});

describe('registering', () => {
  it('leaves the token on the clipboard and never in the window', async () => {
    const transport = newTransport();
    await open(transport);
    await click('nav-apps');
    await click('register-app');
    await type('field-name', 'release-notes');
    await type('field-redirect_uris', 'http://127.0.0.1/a\nhttp://127.0.0.1/b');
    await click('confirm-register');
    const redirect_uris = ['http://127.0.0.1/a', 'http://127.0.0.1/b'];
    expect(body(transport, 'CREATE app')).toEqual({ name: 'release-notes', redirect_uris, public: false });
    expect(transport.lines.some((line) => line.startsWith('POST /v1/apps'))).toBe(false);
    expect(transport.copied).toEqual(['token of release-notes']);
    expect(text('toast')).toContain('Its token is on the clipboard');
    expect(text('app-release-notes')).toContain('No grants');
  });

  it('says at the name what is wrong with it', async () => {
    const { transport } = await apps();
    await click('register-app');
    await click('confirm-register');
    expect(text('error-name')).toBe('Enter a name.');
    expect(transport.lines).not.toContain('CREATE app');
    await type('field-name', 'release-notes');
    await click('confirm-register');
    expect(text('error-name')).toContain('another app is already called release-notes');
  });

  it('a public app speaks of no token', async () => {
    const { transport } = await apps();
    await click('register-app');
    await type('field-name', 'widget');
    await click('field-public');
    await click('confirm-register');
    expect(text('toast')).toContain('has no token of its own');
    expect(transport.copied).toEqual([]);
    expect(text('app-widget')).toContain('Public');
  });
});

describe('giving a grant', () => {
  it('asks for connections and credentials only where they matter, and for at least one', async () => {
    const { transport } = await apps();
    await click('give-grant');
    expect(screen.queryByTestId('connection-choice')).toBeNull();
    await click('confirm-grant');
    expect(text('error-scopes')).toBe('Select at least one permission.');
    await click('scope-tokens:read');
    await click('scope-credentials:read');
    await click('confirm-grant');
    expect(text('error-connections')).toContain('at least one connection');
    expect(text('error-credentials')).toContain('at least one credential');
    expect(transport.lines).not.toContain('POST /v1/grants');
  });

  it('sends exactly what was chosen', async () => {
    const { transport, app, connection } = await apps();
    await click('give-grant');
    await click('scope-tokens:read');
    await click('connection-choice');
    await type('field-token_scopes', 'repo  read:user');
    await user.selectOptions(screen.getByTestId('field-until'), 'month');
    await click('confirm-grant');
    const sent = body(transport, 'POST /v1/grants') as Record<string, unknown>;
    const { expires_at, ...rest } = sent;
    expect(rest).toEqual({
      app: app.id,
      scopes: ['tokens:read'],
      connections: [connection.id],
      token_scopes: ['repo', 'read:user'],
    });
    expect(Math.round((Date.parse(String(expires_at)) - Date.now()) / 86_400_000)).toBe(30);
    expect(screen.getAllByTestId('grant')).toHaveLength(2);
  });

  it('of something that is about nothing in particular names none', async () => {
    const { transport, app } = await apps();
    await click('give-grant');
    await click('scope-tokens:read');
    await click('connection-choice');
    await click('scope-tokens:read');
    await click('scope-activity:read');
    await click('confirm-grant');
    expect(body(transport, 'POST /v1/grants')).toEqual({ app: app.id, scopes: ['activity:read'] });
  });

  it('finds one connection among very many', async () => {
    const { transport, connection } = await apps();
    const provider = transport.engine.provider(connection.provider_id);
    for (let n = 0; n < 120; n += 1)
      withConnection(transport, provider, { label: `label-${n}`, name: `sandbox/label-${n}` });
    transport.engine.setVault(transport.engine.vault);
    await settle();
    await click('give-grant');
    await click('scope-tokens:read');
    expect(screen.getAllByTestId('connection-choice')).toHaveLength(50);
    await type('field-find-connection', 'label-119');
    await click('connection-choice');
    await type('field-find-connection', 'nothing');
    expect(screen.getAllByTestId<HTMLInputElement>('connection-choice').map(({ checked }) => checked)).toEqual([true]);
  });
});

it('a grant is taken away only after a second look, which starts at Cancel', async () => {
  const { transport, grant } = await apps();
  await click('take-grant');
  expect(document.activeElement?.textContent).toContain('Cancel');
  await user.keyboard('{Escape}');
  await settle();
  expect(transport.lines.some((line) => line.startsWith('DELETE'))).toBe(false);
  await click('take-grant');
  await click('confirm-take');
  expect(transport.lines).toContain(`DELETE /v1/grants/${grant.id}`);
  expect(screen.queryByTestId('grant')).toBeNull();
});

it('an app is removed after a second look', async () => {
  const { transport, app } = await apps();
  await click('remove-app');
  await click('confirm-remove-app');
  expect(transport.lines).toContain(`DELETE /v1/apps/${app.id}`);
  expect(screen.getByTestId('apps-empty')).toBeTruthy();
});

it('what another window or the command line does to apps is there at once', async () => {
  const { transport, app } = await apps();
  transport.engine.putApp({ ...app, grants: [] });
  await settle();
  expect(text('app-release-notes')).toContain('No grants');
});
