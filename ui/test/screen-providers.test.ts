import { screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../src/lib/types';
import { ADA, body, click, newTransport, open, settle, text, type, withConnection, withProvider } from './support';

const MINUTE = 60_000;
const NOW = Date.parse('2026-11-24T12:00:00Z');
const at = (ms: number) => new Date(NOW + ms).toISOString();

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A window with one connection of this kind. */
async function showing(given: Partial<Connection>, provider = {}) {
  const transport = newTransport();
  const connection = withConnection(transport, withProvider(transport, provider), given);
  await open(transport);
  return { transport, connection };
}

describe('without providers', () => {
  it('there are three sentences, a button that leads to the form, and one for a backup', async () => {
    await open(newTransport());
    expect(text('empty')).toMatch(/^No providers yet [^.]+\. [^.]+\. [^.]+\.\s+Add provider\s+Restore a backup$/);
    await click('restore-backup');
    expect(screen.getByTestId('ways-to-unlock')).toBeTruthy();
    await click('nav-providers');
    await click('add-provider');
    await click('by-hand');
    expect(screen.getByTestId('provider-form')).toBeTruthy();
  });
});

describe('a connection', () => {
  it('says whose it is, its scopes and those not granted, when it expires, was refreshed and used', async () => {
    await showing({
      label: 'work',
      scopes: ['openid', 'email'],
      requested_scopes: ['openid', 'email', 'admin'],
      missing_scopes: ['admin'],
      expires_at: at(42 * MINUTE),
      last_refreshed_at: at(-3 * MINUTE),
    });
    expect(text('connected-as')).toBe('Connected as ada@example.org');
    expect(text('connection-label')).toBe('work');
    expect(text('status-badge')).toBe('Active');
    expect(text('scopes')).toMatch(/openid\s*email/);
    expect(text('missing-scopes')).toBe('Requested: openid, email, admin. Granted: openid, email.');
    const facts = text('connection-sandbox/work');
    for (const fact of ['in 42 min', '3 min ago', 'never']) expect(facts).toContain(fact);
  });

  it('with scopes that were not requested says so, and one with just those says nothing', async () => {
    await showing({ scopes: ['read', 'write'], requested_scopes: ['read'] });
    expect(text('missing-scopes')).toBe('Requested: read. Granted: read, write.');
    document.body.innerHTML = '';
    await showing({ scopes: ['write', 'read'], requested_scopes: ['read', 'write'] });
    expect(screen.queryByTestId('missing-scopes')).toBeNull();
  });

  it('whose sign-in ends soon says until when, once in a notice, and can be used meanwhile', async () => {
    const { transport, connection } = await showing({
      status: 'expiring',
      sign_in_again_before: at(2 * 24 * 60 * MINUTE),
    });
    expect(text('status-badge')).toBe('Sign in again soon');
    expect(text('sign-in-before')).toMatch(/^Sign in again before \w+day,.* \d\d:\d\d/);
    expect(screen.getAllByTestId('toast')).toHaveLength(1);
    expect(text('toast')).toContain('Sign in again before');
    expect(screen.getByTestId('copy-token')).toBeTruthy();
    await click('connect-again');
    expect(body(transport, 'POST /v1/oauth-providers')).toEqual({ connection: connection.id });
  });

  it('counts its expiry down, second by second, until it has expired', async () => {
    await showing({ expires_at: at(MINUTE + 2000) });
    expect(text('expires')).toBe('Expires in 1 min 2 s');
    await vi.advanceTimersByTimeAsync(3000);
    expect(text('expires')).toBe('Expires in 59 s');
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(text('expires')).toBe('Expired just now');
  });

  it.each([
    ['active', 'Active'],
    ['refreshing', 'Refreshing'],
    ['expiring', 'Sign in again soon'],
    ['paused', 'Paused'],
    ['disconnecting', 'Disconnecting'],
    ['needs_reauth', 'Sign-in required'],
  ] as const)('that is %s says so in words', async (status, words) => {
    await showing({ status });
    expect(text('status-badge')).toBe(words);
  });

  it.each([
    ['revoked', /revoked at the provider/],
    ['expired', /no refresh token/],
    ['lost_response', /response was lost/],
    ['scope_missing', /no longer grants a required scope/],
  ] as const)('that was lost (%s) says why, and the button renews that very connection', async (reason, words) => {
    const { transport, connection } = await showing({ status: 'needs_reauth', reason });
    expect(text('reason')).toMatch(words);
    await click('connect-again');
    expect(body(transport, 'POST /v1/oauth-providers')).toEqual({ connection: connection.id });
    expect(text('waiting')).toContain('Signing in again: ada@example.org');
    expect(screen.queryByTestId('connect-again')).toBeNull();
  });

  it('whose client was rejected sends the person to the provider form', async () => {
    await showing({ status: 'needs_reauth', reason: 'client_rejected' });
    await click('edit-provider');
    expect(screen.getByTestId<HTMLInputElement>('field-name').value).toBe('sandbox');
  });

  it('in trouble stays what it is, and says when the next try is', async () => {
    const trouble = { at: at(0), message: 'the provider cannot be reached', attempts: 2, next_try_at: at(2 * MINUTE) };
    await showing({ trouble });
    expect(text('status-badge')).toBe('Active');
    expect(text('trouble')).toMatch(/the provider cannot be reached\s*Retrying\s*in 2 min\s*\(2 failed attempts\)/);
  });

  it('is refreshed, paused, resumed and labelled by its buttons', async () => {
    const { transport } = await showing({ expires_at: at(MINUTE) });
    await click('refresh');
    expect(text('expires')).toBe('Expires in 1 h');
    await click('pause');
    expect(text('status-badge')).toBe('Paused');
    expect(screen.queryByTestId('copy-token')).toBeNull();
    await click('resume');
    expect(text('status-badge')).toBe('Active');
    await click('edit-label');
    await type('field-label', 'home');
    await click('save-label');
    expect(text('connection-label')).toBe('home');
    expect(body(transport, 'PATCH')).toEqual({ label: 'home' });
  });

  it('hands its token to the clipboard and never to the window', async () => {
    const { transport, connection } = await showing({});
    await click('copy-token');
    expect(transport.copied).toEqual([`token of ${connection.id}`]);
    expect(transport.lines.filter((line) => line.includes('/token'))).toEqual([]);
    expect(text('toast')).toContain('45 seconds');
  });

  it('shows an error of the provider with its face', async () => {
    const { transport } = await showing({});
    transport.failNext('POST /v1/connections', { code: 'provider_unreachable', message: 'connection refused' });
    await click('refresh');
    expect(text('toast')).toMatch(/Provider unreachable\s*connection refused/);
  });
});

describe('disconnecting', () => {
  it('asks first, and Cancel does nothing', async () => {
    const { transport } = await showing({});
    await click('disconnect');
    const dialog = within(screen.getByTestId('disconnect-dialog'));
    dialog.getByText('Cancel').click();
    await settle();
    expect(transport.lines.some((line) => line.startsWith('DELETE'))).toBe(false);
    expect(text('connected-as')).toContain('ada');
  });

  it.each([
    ['yes', /Disconnected ada@example.org\s*The provider revoked/, 'good'],
    [
      'no',
      /Disconnected ada@example.org\s*The tokens are deleted from this computer, but the provider did not revoke them/,
      'plain',
    ],
    ['pending', /Disconnecting ada@example.org\s*Revocation pending/, 'plain'],
    ['unsupported', /Disconnected ada@example.org\s*The tokens are deleted.*can’t revoke/, 'plain'],
  ] as const)('says whether the provider revoked: %s', async (revoked, words, tone) => {
    const { transport } = await showing({});
    transport.engine.revoked = revoked;
    await click('disconnect');
    await click('confirm-disconnect');
    expect(text('toast')).toMatch(words);
    expect(screen.getByTestId('toast').dataset['tone']).toBe(tone);
    expect(screen.queryByTestId('disconnect-dialog')).toBeNull();
    if (revoked === 'pending') expect(text('status-badge')).toBe('Disconnecting');
    else expect(screen.queryByTestId('connected-as')).toBeNull();
  });
});

describe('connecting', () => {
  it('opens the browser at once, waits, and then shows whose account it is', async () => {
    const transport = newTransport();
    withProvider(transport);
    await open(transport);
    await click('connect-sandbox');
    expect(text('waiting')).toContain('Expires in 10 min');
    const [flow] = [...transport.engine.flows.keys()];
    expect(transport.lines).toContain(`POST /v1/flows/${flow}/open`);
    transport.engine.end(flow ?? '', { status: 'connected' }, { account: ADA });
    await settle();
    expect(screen.queryByTestId('waiting')).toBeNull();
    expect(text('connected-as')).toBe('Connected as ada@example.org');
  });

  it('says so when no browser can be opened, and waits all the same: the link can be copied', async () => {
    const transport = newTransport();
    withProvider(transport);
    await open(transport);
    const message = 'no browser could be opened; copy the link into a browser yourself';
    transport.failNext('POST /v1/flows', { code: 'oauth_unavailable', message });
    await click('connect-sandbox');
    expect(text('toast')).toContain(message);
    await click('copy-link');
    expect(transport.copied).toHaveLength(1);
  });

  it('can be cancelled, opened again, and its link copied, while the browser is away', async () => {
    const transport = newTransport();
    withProvider(transport);
    await open(transport);
    await click('connect-sandbox');
    const [flow] = [...transport.engine.flows.keys()];
    await click('open-again');
    expect(transport.lines).toContain(`POST /v1/flows/${flow}/open`);
    await click('copy-link');
    expect(transport.copied).toEqual([`link of ${flow}`]);
    await click('cancel-flow');
    expect(screen.queryByTestId('waiting')).toBeNull();
    expect(screen.queryByTestId('flow-ended')).toBeNull();
  });

  it('a further account asks for a label first, and says at the field when it is taken', async () => {
    const { transport } = await showing({});
    await click('connect-sandbox');
    await type('field-label', 'work');
    transport.failNext('POST', { code: 'conflict', message: 'sandbox already has a connection labelled work' });
    await click('confirm-connect');
    expect(text('error-label')).toContain('already has a connection labelled work');
    await type('field-label', 'home');
    await click('confirm-connect');
    expect(body(transport, 'POST /v1/oauth-providers')).toEqual({ label: 'home' });
    expect(text('connection-label')).toBe('home');
  });

  it('by hand takes the address where the browser ended, and keeps the sign-in open when it is none', async () => {
    const transport = newTransport();
    withProvider(transport, { redirect: 'paste' });
    await open(transport);
    await click('connect-sandbox');
    await click('paste-go');
    expect(text('error-paste')).toBe('Paste the whole URL from the browser’s address bar.');
    await type('field-paste', 'http://127.0.0.1:50000/other');
    await click('paste-go');
    expect(text('error-paste')).toContain('answers no open sign-in');
    expect(screen.getByTestId('waiting')).toBeTruthy();
    await type('field-paste', 'http://127.0.0.1:50000/cb/sandbox?code=c&state=s');
    await click('paste-go');
    expect(text('connected-as')).toBe('Connected as ada@example.org');
  });

  it('that gets no response asks after 20 seconds whether the provider knows the redirect URI', async () => {
    const transport = newTransport();
    withProvider(transport, { register_url: 'https://as.example/apps' });
    await open(transport);
    await click('connect-sandbox');
    vi.advanceTimersByTime(19_000);
    await settle();
    expect(screen.queryByTestId('no-response')).toBeNull();
    vi.advanceTimersByTime(2_000);
    await settle();
    expect(text('no-response')).toMatch(/http:\/\/127\.0\.0\.1:28101\/cb\/sandbox.*https:\/\/as\.example\/apps/s);
    await click('copy-sent-uri');
    expect(transport.copied).toEqual(['http://127.0.0.1:28101/cb/sandbox']);
  });

  it('that failed says why beside the provider, and can be tried again the same way', async () => {
    const { transport, connection } = await showing({ status: 'needs_reauth', reason: 'expired' });
    await click('connect-again');
    const [flow] = [...transport.engine.flows.keys()];
    const message = 'you signed in as eve, but this connection belongs to ada: it was left as it was';
    transport.engine.end(flow ?? '', { status: 'failed', code: 'conflict', message });
    await settle();
    expect(text('flow-ended')).toContain(message);
    await click('try-flow-again');
    expect(body(transport, 'POST /v1/oauth-providers')).toEqual({ connection: connection.id });
    expect(screen.queryByTestId('flow-ended')).toBeNull();
  });

  it('with client credentials needs no browser', async () => {
    const transport = newTransport();
    const provider = withProvider(transport, { grant_type: 'client_credentials' });
    await open(transport);
    await click('connect-sandbox');
    expect(transport.lines).toContain(`POST /v1/oauth-providers/${provider.id}/connect`);
    expect(text('connection-sandbox')).toContain('Service account');
  });
});

describe('the list', () => {
  it('is narrowed by provider, account, label and status', async () => {
    const transport = newTransport();
    const sandbox = withProvider(transport);
    withConnection(transport, sandbox);
    withConnection(transport, sandbox, {
      label: 'old',
      account: { display_name: 'eve@example.org', subject: '2', email: 'eve@example.org' },
      status: 'paused',
    });
    withProvider(transport, { name: 'github', display_name: 'GitHub', token_endpoint: 'https://github.example/token' });
    await open(transport);
    const visible = () => [
      screen.queryAllByTestId(/^provider-/).map((card) => card.dataset['testid']),
      screen.queryAllByTestId('status-badge').length,
    ];
    expect(visible()).toEqual([['provider-github', 'provider-sandbox'], 2]);
    for (const [filter, expected] of [
      ['sand', [['provider-sandbox'], 2]],
      ['EVE@', [['provider-sandbox'], 1]],
      ['old', [['provider-sandbox'], 1]],
      ['paused', [['provider-sandbox'], 1]],
      ['nothing', [[], 0]],
    ] as const) {
      await type('filter', filter);
      expect(visible(), filter).toEqual(expected);
    }
  });
});
