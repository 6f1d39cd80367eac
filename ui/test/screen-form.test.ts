import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../src/lib/types';
import { body, click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

async function adding() {
  const transport = newTransport();
  await open(transport);
  await click('add-provider');
  await click('by-hand');
  return transport;
}

async function editing(given: Partial<Provider>) {
  const transport = newTransport();
  const provider = withProvider(transport, given);
  await open(transport);
  await click('edit-sandbox');
  return { transport, provider };
}

const invalid = () => document.activeElement?.getAttribute('name');

describe('adding a provider', () => {
  it('sends what was typed, and shows the provider', async () => {
    const transport = await adding();
    await type('field-name', 'sandbox');
    await type('field-display_name', 'Sandbox');
    await type('field-client_id', 'tokenry');
    await type('field-client_secret', 'planted-secret');
    await type('field-authorization_endpoint', 'http://127.0.0.1:4000/auth');
    await type('field-token_endpoint', 'http://127.0.0.1:4000/token');
    await type('field-default_scopes', 'openid email');
    expect(screen.queryByTestId('redirect-uri')).toBeNull();
    await click('save-provider');
    expect(body(transport, 'POST')).toMatchObject({
      name: 'sandbox',
      client_id: 'tokenry',
      client_secret: 'planted-secret',
      default_scopes: ['openid', 'email'],
    });
    expect(text('provider-sandbox')).toContain('Sandbox');
    const uris = screen.getAllByTestId('redirect-uri').map((element) => element.textContent);
    expect(uris).toEqual(['http://127.0.0.1:28101/cb/sandbox', 'http://127.0.0.1:28708/cb/sandbox']);
    screen.getAllByTestId('copy-redirect-uri')[0]?.click();
    await settle();
    expect(transport.copied).toEqual(['http://127.0.0.1:28101/cb/sandbox']);
    expect(document.documentElement.outerHTML).not.toContain('planted-secret');
  });

  it('asks the engine nothing while a field is wrong, says what at each, and goes to the first', async () => {
    const transport = await adding();
    await click('save-provider');
    for (const field of ['name', 'client_id', 'authorization_endpoint', 'token_endpoint']) {
      expect(text(`error-${field}`), field).not.toBe('');
      const input = screen.getByTestId(`field-${field}`);
      expect(input.getAttribute('aria-invalid')).toBe('true');
      expect(input.getAttribute('aria-describedby')?.split(' ')).toContain(screen.getByTestId(`error-${field}`).id);
    }
    expect(invalid()).toBe('name');
    expect(transport.lines.some((line) => line.startsWith('POST'))).toBe(false);
    await type('field-name', 'sandbox');
    expect(screen.queryByTestId('error-name')).toBeNull();
    expect(screen.getByTestId('error-client_id')).toBeTruthy();
  });

  it('shows what the engine finds wrong at the fields, unfolds them, and keeps what was typed', async () => {
    const transport = await adding();
    await type('field-name', 'sandbox');
    await type('field-client_id', 'id');
    await type('field-authorization_endpoint', 'https://a.example/auth');
    await type('field-token_endpoint', 'https://a.example/token');
    const fields = { revocation_endpoint: 'must be somewhere else' };
    transport.failNext('POST', { code: 'validation_error', message: 'no', details: { fields } });
    await click('save-provider');
    expect(text('error-revocation_endpoint')).toBe('must be somewhere else');
    expect(screen.getByTestId<HTMLDetailsElement>('advanced').open).toBe(true);
    expect(invalid()).toBe('revocation_endpoint');
    expect(screen.getByTestId<HTMLInputElement>('field-client_id').value).toBe('id');
  });

  it('whose name is taken says so', async () => {
    const transport = newTransport();
    withProvider(transport);
    await open(transport);
    await click('add-provider');
    await click('by-hand');
    await type('field-name', 'sandbox');
    await type('field-client_id', 'id');
    await type('field-authorization_endpoint', 'https://a.example/auth');
    await type('field-token_endpoint', 'https://a.example/token');
    await click('save-provider');
    expect(text('error-name')).toContain('another provider is already called sandbox');
    expect(invalid()).toBe('name');
  });

  it('with client credentials asks for no authorization endpoint and no redirect', async () => {
    await adding();
    await click('field-grant_type-client_credentials');
    for (const gone of ['field-authorization_endpoint', 'field-redirect', 'field-use_pkce']) {
      expect(screen.queryByTestId(gone), gone).toBeNull();
    }
  });
});

describe('editing a provider', () => {
  it('sends only what changed', async () => {
    const { transport, provider } = await editing({ issuer: 'https://sandbox.example' });
    await type('field-issuer', '');
    await click('save-provider');
    expect(transport.lines).toContain(`PUT /v1/oauth-providers/${provider.id}`);
    expect(body(transport, 'PUT')).toEqual({ issuer: null });
  });

  it('has nothing to be registered by hand where Tokenry registered its client itself', async () => {
    const transport = newTransport();
    withProvider(transport, { self_registered: true });
    await open(transport);
    expect(screen.queryByTestId('redirect-uri')).toBeNull();
    await click('edit-sandbox');
    expect(screen.getAllByTestId('redirect-uri')).toHaveLength(2);
    expect(text('provider-form')).toContain('Tokenry registered this redirect URI itself.');
    expect(text('provider-form')).not.toContain('Add this redirect URI');
  });

  it('never shows the secret that is kept: it is kept, replaced or cleared', async () => {
    const secret = { has_client_secret: true, token_endpoint_auth_method: 'client_secret_basic' as const };
    const { transport } = await editing(secret);
    expect(screen.queryByTestId('field-client_secret')).toBeNull();
    await click('secret-clear');
    await click('secret-keep');
    await click('secret-replace');
    expect(screen.getByTestId<HTMLInputElement>('field-client_secret').value).toBe('');
    await type('field-client_secret', 'new');
    await click('save-provider');
    expect(body(transport, 'PUT')).toMatchObject({ client_secret: 'new' });
  });

  it('clears the secret together with the way it is sent', async () => {
    const { transport } = await editing({ has_client_secret: true, token_endpoint_auth_method: 'client_secret_post' });
    await click('secret-clear');
    await click('save-provider');
    expect(body(transport, 'PUT')).toEqual({ client_secret: null, token_endpoint_auth_method: 'automatic' });
  });

  it('sends a first secret, since a public client would never send it', async () => {
    const { transport } = await editing({ token_endpoint_auth_method: 'none' });
    await type('field-client_secret', 'first');
    await click('save-provider');
    expect(body(transport, 'PUT')).toEqual({ client_secret: 'first', token_endpoint_auth_method: 'automatic' });
  });

  it('shows the public key to register, and copies it', async () => {
    const { transport } = await editing({ token_endpoint_auth_method: 'private_key_jwt' });
    await settle();
    expect(screen.getByTestId('public-key').textContent).toContain('"kty": "EC"');
    await click('copy-public-key');
    expect(transport.copied.at(-1)).toContain('"alg": "ES256"');
  });

  it('is left by Escape without a trace', async () => {
    const { transport } = await editing({});
    screen.getByTestId('cancel-form').focus();
    await user.keyboard('{Escape}');
    await settle();
    expect(screen.queryByTestId('provider-form')).toBeNull();
    expect(transport.lines.some((line) => line.startsWith('PUT'))).toBe(false);
  });
});

describe('deleting a provider', () => {
  it('without connections asks once', async () => {
    const { transport, provider } = await editing({});
    await click('delete-provider');
    await click('confirm-remove');
    expect(transport.lines).toContain(`DELETE /v1/oauth-providers/${provider.id}?disconnect=false`);
    expect(screen.getByTestId('empty')).toBeTruthy();
  });

  it('with connections says that they are disconnected first, and how many', async () => {
    const transport = newTransport();
    const provider = withProvider(transport);
    withConnection(transport, provider);
    withConnection(transport, provider, { label: 'b' });
    await open(transport);
    await click('edit-sandbox');
    await click('delete-provider');
    expect(text('remove-dialog')).toContain('Its 2 connections are disconnected first');
    await click('confirm-remove');
    expect(transport.lines).toContain(`DELETE /v1/oauth-providers/${provider.id}?disconnect=true`);
    expect(screen.getByTestId('empty')).toBeTruthy();
  });
});

describe('an answer of the engine', () => {
  it('stays at its field until the field is changed', async () => {
    const { transport } = await editing({});
    const fields = { token_endpoint: 'must be https', issuer: 'must be an https URL' };
    transport.failNext('PUT', { code: 'validation_error', message: 'no', details: { fields } });
    await type('field-token_endpoint', 'http://a.example/token');
    await click('save-provider');
    expect(text('error-token_endpoint')).toBe('must be https');
    expect(text('error-issuer')).toBe('must be an https URL');
    await type('field-token_endpoint', 'https://a.example/token');
    expect(screen.queryByTestId('error-token_endpoint')).toBeNull();
    expect(text('error-issuer')).toBe('must be an https URL');
    await click('save-provider');
    expect(body(transport, 'PUT')).toEqual({ token_endpoint: 'https://a.example/token' });
    expect(screen.queryByTestId('provider-form')).toBeNull();
  });
});
