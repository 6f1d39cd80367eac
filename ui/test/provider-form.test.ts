import { describe, expect, it } from 'vitest';
import { aProvider } from '../dev/memory/samples';
import { blank, of, toCreate, toUpdate } from '../src/lib/form/provider';

const before = aProvider({
  id: '1',
  name: 'sandbox',
  issuer: 'https://sandbox.example',
  default_scopes: ['openid', 'email'],
  authorize_params: { audience: 'a=b', prompt: 'consent' },
  rotation: { kind: 'grace', seconds: 20 },
  has_client_secret: true,
  token_endpoint_auth_method: 'client_secret_post',
});

describe('a new provider', () => {
  it('sends what was typed, cleaned of space around it, and leaves out what is empty', () => {
    const body = toCreate({
      ...blank(),
      name: ' sandbox ',
      client_id: ' id ',
      default_scopes: ' openid  email openid ',
    });
    expect(body).toMatchObject({ name: 'sandbox', client_id: 'id', default_scopes: ['openid', 'email'] });
    for (const field of ['client_secret', 'issuer', 'display_name', 'project', 'token_endpoint_auth_method']) {
      expect(body).not.toHaveProperty(field);
    }
  });

  it('does not trim a secret', () => {
    expect(toCreate({ ...blank(), client_secret: ' s ' }).client_secret).toBe(' s ');
  });
});

describe('a change', () => {
  it('of nothing sends nothing', () => {
    expect(toUpdate(of(before), before)).toEqual({});
  });

  it('sends only the fields that differ, and clears by an empty text', () => {
    const fields = { ...of(before), issuer: '', default_scopes: 'openid', rotation: 'strict' as const };
    expect(toUpdate(fields, before)).toEqual({ issuer: '', default_scopes: ['openid'], rotation: { kind: 'strict' } });
  });

  it('keeps, replaces or clears the secret, which it never knows', () => {
    expect(of(before)).toMatchObject({ secret: 'keep', client_secret: '' });
    expect(toUpdate({ ...of(before), secret: 'replace', client_secret: 'new' }, before)).toEqual({
      client_secret: 'new',
    });
    expect(toUpdate({ ...of(before), secret: 'replace' }, before)).toEqual({});
    expect(toUpdate({ ...of(before), secret: 'clear' }, before)).toEqual({ client_secret: '' });
  });

  it('reads parameters line by line, at the first equals sign', () => {
    expect(of(before).authorize_params).toBe('audience=a=b\nprompt=consent');
    const fields = { ...of(before), authorize_params: 'a = b=c\n\nd=' };
    expect(toUpdate(fields, before)).toEqual({ authorize_params: { audience: null, prompt: null, a: 'b=c', d: '' } });
  });
});
