import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { body, click, newTransport, open, settle, text, type, user, withProvider } from './support';

// jsdom lays nothing out, and so scrolls nothing.
Element.prototype.scrollIntoView = () => undefined;

async function adding() {
  const transport = newTransport();
  await open(transport);
  await click('add-provider');
  return transport;
}

const marked = () => screen.getAllByRole('option').find((one) => one.getAttribute('aria-selected') === 'true');

describe('choosing a preset', () => {
  it('searches while typing, and the keyboard chooses', async () => {
    await adding();
    expect(document.activeElement).toBe(screen.getByTestId('preset-search'));
    expect(screen.getAllByRole('option')).toHaveLength(3);
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
    expect(marked()?.textContent).toContain('Gitea');
    await user.keyboard('{ArrowUp}{ArrowUp}');
    expect(marked()?.textContent).toContain('GitHub');
    await type('preset-search', 'gitea');
    expect(screen.getAllByRole('option')).toHaveLength(1);
    await user.keyboard('{Enter}');
    await settle();
    expect(text('guide')).toContain('OAuth2 application');
    expect(document.activeElement?.getAttribute('name')).toBe('host');
    await click('back-to-search');
    expect(screen.getByTestId('preset-search')).toBeTruthy();
  });

  it('says when nothing matches, and leads to the form with all settings', async () => {
    await adding();
    await type('preset-search', 'nothing like that');
    expect(text('no-preset')).not.toBe('');
    await click('by-hand');
    expect(screen.getByTestId('provider-form')).toBeTruthy();
  });

  it('Escape clears the search, and then leaves', async () => {
    await adding();
    await type('preset-search', 'gitea');
    await user.keyboard('{Escape}');
    await settle();
    expect(screen.getAllByRole('option')).toHaveLength(3);
    await user.keyboard('{Escape}');
    await settle();
    expect(screen.queryByTestId('add-screen')).toBeNull();
  });
});

describe('adding by a preset', () => {
  it('shows what to register, asks for the client alone, and sends no more than that', async () => {
    const transport = await adding();
    await click('preset-github');
    expect(text('register-url')).toBe('https://github.example/new');
    expect(text('redirect-uri')).toBe('http://127.0.0.1/cb/github');
    expect(text('preset-page')).toContain('Authorization callback URL');
    expect(text('preset-notes')).toContain('do not end');
    await click('copy-redirect-uri');
    expect(transport.copied).toEqual(['http://127.0.0.1/cb/github']);
    await click('open-register-url');
    expect(transport.opened).toEqual(['github']);
    await click('save-provider');
    expect(text('error-client_id')).not.toBe('');
    expect(text('error-client_secret')).not.toBe('');
    expect(transport.lines.some((line) => line === 'POST /v1/oauth-providers')).toBe(false);
    await type('field-client_id', 'Iv1.abc');
    await type('field-client_secret', 'planted-secret');
    await click('save-provider');
    expect(body(transport, 'POST /v1/oauth-providers')).toEqual({
      name: 'github',
      client_id: 'Iv1.abc',
      client_secret: 'planted-secret',
      preset: { name: 'github', variables: {} },
    });
    expect(text('provider-github')).toContain('GitHub');
    expect(document.documentElement.outerHTML).not.toContain('planted-secret');
  });

  it('checks a variable while it is typed, and shows the doubt about the facts', async () => {
    await adding();
    await click('preset-gitea');
    expect(text('unverified')).toContain('2026-11');
    expect(screen.queryByTestId('redirect-uri')).toBeNull();
    await type('field-host', 'git example');
    expect(text('error-host')).toContain('git.example.com');
    await type('field-host', 'git.example.org');
    expect(screen.queryByTestId('error-host')).toBeNull();
    expect(text('redirect-uri')).toBe('http://127.0.0.1/cb/gitea');
  });

  it('proposes a free name', async () => {
    const transport = newTransport();
    withProvider(transport, { name: 'github' });
    await open(transport);
    await click('add-provider');
    await click('preset-github');
    expect(screen.getByTestId<HTMLInputElement>('field-name').value).toBe('github-2');
  });

  it('leads to all settings, which keep the preset and what was typed', async () => {
    const transport = await adding();
    await click('preset-github');
    await type('field-client_id', 'Iv1.abc');
    await click('all-settings');
    expect(screen.getByTestId<HTMLInputElement>('field-authorization_endpoint').value).toBe(
      'https://github.example/authorize',
    );
    await type('field-default_scopes', 'repo');
    await click('save-provider');
    expect(body(transport, 'POST /v1/oauth-providers')).toMatchObject({
      name: 'github',
      client_id: 'Iv1.abc',
      default_scopes: ['repo'],
      preset: { name: 'github', variables: {} },
    });
    expect(body(transport, 'POST /v1/oauth-providers')).not.toHaveProperty('token_endpoint');
  });
});

describe('adding by an address', () => {
  async function lookingUp(address: string) {
    const transport = await adding();
    await type('preset-search', address);
    await click('look-up');
    return transport;
  }

  it('shows what the address says, and registers Tokenry where the provider does that', async () => {
    const transport = await lookingUp('https://mcp.example.com/mcp');
    expect(body(transport, 'POST /v1/discovery')).toEqual({
      address: 'https://mcp.example.com/mcp',
      allow_private_http: false,
    });
    expect(text('address-warnings')).toContain('signin.example');
    expect(text('found')).toContain('https://login.example.com/token');
    expect(text('found')).toMatch(/PKCE\s*yes/);
    expect(text('found')).toMatch(/\(DPoP\)\s*no/);
    expect(screen.queryByTestId('field-client_id')).toBeNull();
    await type('field-name', 'files');
    await click('save-provider');
    expect(body(transport, 'POST /v1/registrations')).toMatchObject({
      look_up: { address: 'https://mcp.example.com/mcp' },
      name: 'files',
      settings: { token_endpoint: 'https://login.example.com/token', loopback_ports: [28731] },
    });
    expect(transport.lines).not.toContain('POST /v1/oauth-providers');
    expect(screen.getByTestId('provider-files')).toBeTruthy();
  });

  it('takes a client ID of the user, and shows first what to register', async () => {
    const transport = await lookingUp('https://closed.example');
    expect(screen.queryByTestId('field-client-register')).toBeNull();
    expect(text('guide')).toContain('login.example.com');
    expect(text('redirect-uri')).toBe('http://127.0.0.1:28731/cb/example');
    await type('field-name', 'files');
    await click('copy-redirect-uri');
    expect(transport.copied).toEqual(['http://127.0.0.1:28731/cb/files']);
    await click('save-provider');
    expect(text('error-client_id')).not.toBe('');
    await type('field-client_id', 'abc');
    await type('field-client_secret', 'planted-secret');
    await click('save-provider');
    expect(body(transport, 'POST /v1/oauth-providers')).toMatchObject({
      name: 'files',
      client_id: 'abc',
      client_secret: 'planted-secret',
      token_endpoint_auth_method: 'client_secret_basic',
      loopback_ports: [28731],
    });
    expect(document.documentElement.outerHTML).not.toContain('planted-secret');
  });

  it('a client without a secret has no client authentication, also where registration is offered', async () => {
    const transport = await lookingUp('https://mcp.example.com/mcp');
    await click('field-client-own');
    await type('field-client_id', 'abc');
    await click('save-provider');
    expect(body(transport, 'POST /v1/oauth-providers')).not.toHaveProperty('token_endpoint_auth_method');
    expect(transport.lines).not.toContain('POST /v1/registrations');
  });

  it('a preset with registration leads there', async () => {
    const transport = await adding();
    await click('preset-files-mcp');
    await click('register-itself');
    expect(body(transport, 'POST /v1/discovery')).toMatchObject({ address: 'https://mcp.example.com/mcp' });
    await click('save-provider');
    expect(transport.lines).toContain('POST /v1/registrations');
  });

  it('says why nothing was found, and Enter looks up', async () => {
    await adding();
    await type('preset-search', 'https://nothing.example');
    await user.keyboard('{Enter}');
    await settle();
    expect(text('search-failed')).toContain('has no metadata');
    expect(screen.queryByTestId('address-page')).toBeNull();
  });

  it('allows http only in the own network, when the user says so', async () => {
    const transport = await adding();
    for (const address of ['http://localhost:1/', 'http://127.0.0.1', 'http://[::1]:8', 'https://a.example']) {
      await type('preset-search', address);
      expect(screen.queryByTestId('field-allow_private_http'), address).toBeNull();
    }
    await type('preset-search', 'http://localhost.example');
    expect(screen.getByTestId('field-allow_private_http')).toBeTruthy();
    await type('preset-search', 'http://home.local:8123');
    await click('field-allow_private_http');
    await click('look-up');
    expect(body(transport, 'POST /v1/discovery')).toMatchObject({ allow_private_http: true });
  });
});

describe('a newer preset', () => {
  it('is told, shown, and followed: a move to another host only when chosen, and then on its own', async () => {
    const transport = newTransport();
    const preset = { name: 'github', version: '2026-11-29', variables: {}, changed: [], newer: '2027-02-01' };
    const { id } = withProvider(transport, { name: 'github', preset });
    await open(transport);
    await click('review-github');
    expect(screen.getByTestId<HTMLInputElement>('field-use_pkce').checked).toBe(true);
    expect(screen.getByTestId<HTMLInputElement>('field-token_endpoint').checked).toBe(false);
    await click('field-token_endpoint');
    await click('follow-newer');
    const sent = transport.requests.filter(({ line }) => line === `POST /v1/oauth-providers/${id}/preset`);
    expect(sent.map((one) => one.body)).toEqual([
      { version: '2027-02-01', accept: ['token_endpoint'], keep: [] },
      { version: '2027-02-01', accept: ['use_pkce'], keep: [] },
    ]);
    expect(screen.queryByTestId('newer-github')).toBeNull();
  });
});
