import { describe, expect, it } from 'vitest';
import { problems } from '../src/lib/form/problems';
import { blank, type Fields } from '../src/lib/form/provider';
import { redirectUri } from '../src/lib/form/redirect';

const good: Fields = {
  ...blank(),
  name: 'my-provider-2',
  display_name: 'My Provider',
  client_id: 'id',
  authorization_endpoint: 'https://a.example/auth?tenant=1',
  token_endpoint: 'https://a.example/token',
};

const wrong = (change: Partial<Fields>, isNew = true, kept = false) => problems({ ...good, ...change }, isNew, kept);

describe('a provider form', () => {
  it('is fine when it has a name, a client id and the two addresses', () => {
    expect(wrong({})).toEqual({});
  });

  it('takes only kebab-case names', () => {
    const bad = ['', '-a', 'a-', 'a--b', 'A', '2a', 'a_b', 'a/b', '..', 'a b', 'ä', 'a'.repeat(65)];
    for (const name of bad) {
      expect(wrong({ name }), name).toEqual({
        name: 'Use 1 to 64 lowercase letters, digits and single hyphens. Start with a letter; end with a letter or digit.',
      });
    }
    for (const name of ['a', 'github', 'a'.repeat(64)]) expect(wrong({ name })).toEqual({});
  });

  it('wants https everywhere, or loopback everywhere', () => {
    const local = { authorization_endpoint: 'http://127.0.0.1:9/auth', token_endpoint: 'http://[::1]:9/token' };
    expect(wrong(local)).toEqual({});
    expect(wrong({ token_endpoint: 'http://127.0.0.1:9/token' })).toEqual({
      token_endpoint: 'http is for a server on this machine: then every endpoint must be on it, else use https',
    });
    expect(wrong({ token_endpoint: 'http://a.example/token' })).toEqual({
      token_endpoint: 'must be https: http would send secrets in the clear',
    });
  });

  it.each([
    ['a file', 'file:///etc/passwd', 'must be an https address'],
    ['a script', 'javascript:alert(1)', 'must be an https address'],
    ['one with a password', 'https://u:p@a.example/', 'must not hold a user name or password'],
    ['one with a fragment', 'https://a.example/#', 'must not have a fragment (#…)'],
    ['half an address', 'token', 'must be a whole address like https://example.com/token'],
    [
      'one with a control character',
      'https://a.example/to\u0000ken',
      'must be a whole address like https://example.com/token: it holds a space or a control character',
    ],
    [
      'one that is too long',
      `https://a.example/${'x'.repeat(2048)}`,
      'must be a whole address like https://example.com/token: it is longer than 2048 bytes',
    ],
  ])('refuses %s as an endpoint', (_, address, message) => {
    expect(wrong({ revocation_endpoint: address })).toEqual({ revocation_endpoint: message });
    expect(wrong({ authorization_endpoint: address })).toEqual({ authorization_endpoint: message });
  });

  it('lets nobody set the parameters that Tokenry sets', () => {
    expect(wrong({ authorization_endpoint: 'https://a.example/auth?state=1' })).toEqual({
      authorization_endpoint: 'must not carry state, which Tokenry sets itself',
    });
    expect(wrong({ authorize_params: 'prompt=consent\n\nredirect_uri = https://evil.example' })).toEqual({
      authorize_params: 'must not set redirect_uri, which Tokenry sets itself',
    });
    expect(wrong({ authorize_params: 'prompt' })).toEqual({
      authorize_params: '"prompt" must have the form name=value',
    });
  });

  it('needs a secret for client credentials, and no authorization endpoint', () => {
    const machine = { grant_type: 'client_credentials' as const, authorization_endpoint: '' };
    const missing = { client_secret: 'Enter the client secret.' };
    expect(wrong(machine)).toEqual(missing);
    expect(wrong({ ...machine, client_secret: 's' })).toEqual({});
    expect(wrong({ ...machine, secret: 'keep' }, false, true)).toEqual({});
    expect(wrong({ ...machine, secret: 'replace' }, false, true)).toEqual({});
    expect(wrong({ ...machine, secret: 'clear' }, false, true)).toEqual(missing);
    expect(wrong({ authorization_endpoint: '' })).toHaveProperty('authorization_endpoint');
    expect(wrong({ token_endpoint: ' ' })).toHaveProperty('token_endpoint');
  });

  it('finds everything that is wrong at once', () => {
    const all = wrong({
      client_id: '\u0007',
      client_secret: 's'.repeat(16385),
      display_name: 'x'.repeat(101),
      default_scopes: 'read wr"ite',
      scope_separator: '',
      issuer: 'https://a.example/?q=1',
      rotation: 'grace',
      rotation_seconds: '1.5',
      project: 'Not A Name',
    });
    expect(Object.keys(all).sort()).toEqual([
      'client_id',
      'client_secret',
      'default_scopes',
      'display_name',
      'issuer',
      'project',
      'rotation',
      'scope_separator',
    ]);
  });
});

it('the redirect address to register is the one of the contract, and there is none without a name', () => {
  expect(redirectUri('sandbox', 'loopback')).toBe('http://127.0.0.1/cb/sandbox');
  expect(redirectUri('sandbox', 'paste')).toBe('http://127.0.0.1/cb/sandbox');
  expect(redirectUri('sandbox', 'deep_link')).toBe('io.github.tokenry:/cb/sandbox');
  expect(redirectUri('Not a name', 'loopback')).toBeUndefined();
});
