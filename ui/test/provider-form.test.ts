import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aProvider } from '../dev/memory/samples';
import { draftOf, missing, newDraft, toCreate, toUpdate, type ProviderDraft } from '../src/lib/form/provider';
import { SETTINGS, SETTING_NAMES, type SettingsDraft } from '../src/lib/form/settings';

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

const changed = (settings: Partial<SettingsDraft>, rest: Partial<ProviderDraft> = {}): ProviderDraft => {
  const draft = draftOf(before);
  return { ...draft, ...rest, settings: { ...draft.settings, ...settings } };
};

describe('the table of settings', () => {
  it('starts a new provider with the defaults of the API', () => {
    const { components } = JSON.parse(readFileSync('../src-tauri/crates/api/openapi.json', 'utf8'));
    const { properties } = components.schemas.ProviderSettings;
    expect([...SETTING_NAMES].sort()).toEqual(Object.keys(properties).sort());
    for (const name of SETTING_NAMES) expect(SETTINGS[name].initial, name).toEqual(properties[name].default);
  });

  it('shows and reads back every value', () => {
    expect(toUpdate(draftOf(before), before)).toEqual({});
  });
});

describe('a new provider', () => {
  it('sends what was typed, cleaned of space around it, and leaves out the defaults', () => {
    const draft = newDraft();
    const settings = { ...draft.settings, client_id: ' id ', default_scopes: ' openid  email openid ' };
    expect(toCreate({ ...draft, name: ' sandbox ', settings })).toEqual({
      name: 'sandbox',
      client_id: 'id',
      default_scopes: ['openid', 'email'],
    });
  });

  it('does not trim a secret', () => {
    expect(toCreate({ ...newDraft(), client_secret: ' s ' }).client_secret).toBe(' s ');
  });
});

describe('a change', () => {
  it('sends only the settings that differ; an empty text is the default', () => {
    const draft = changed({ issuer: '', display_name: '', default_scopes: 'openid' });
    expect(toUpdate(draft, before)).toEqual({ issuer: null, display_name: null, default_scopes: ['openid'] });
  });

  it('sends another rotation without the members of the one before', () => {
    expect(toUpdate(changed({ rotation: { kind: 'strict', seconds: '20' } }), before)).toEqual({
      rotation: { kind: 'strict', seconds: null },
    });
  });

  it('keeps, replaces or clears the secret, which it never knows', () => {
    expect(draftOf(before)).toMatchObject({ secret: 'keep', client_secret: '' });
    const secret = (rest: Partial<ProviderDraft>) => toUpdate(changed({}, rest), before);
    expect(secret({ secret: 'replace', client_secret: 'new' })).toEqual({ client_secret: 'new' });
    expect(secret({ secret: 'replace' })).toEqual({});
    expect(secret({ secret: 'clear' })).toEqual({ client_secret: null });
  });

  it('reads parameters line by line, at the first equals sign, and removes those that are gone', () => {
    expect(draftOf(before).settings.authorize_params).toBe('audience=a=b\nprompt=consent');
    expect(toUpdate(changed({ authorize_params: 'audience = b=c\n\nd=' }), before)).toEqual({
      authorize_params: { audience: 'b=c', d: '', prompt: null },
    });
  });
});

describe('before it is sent', () => {
  it('only what is missing and what cannot be read is said', () => {
    expect(Object.keys(missing(newDraft(), false)).sort()).toEqual([
      'authorization_endpoint',
      'client_id',
      'name',
      'token_endpoint',
    ]);
    expect(missing(changed({}), true)).toEqual({});
    expect(missing(changed({ token_endpoint: 'ftp://no', client_id: '\u0007' }, { name: 'Not A Name' }), true)).toEqual(
      {},
    );
    expect(missing(changed({ authorize_params: 'prompt' }), true)).toEqual({
      authorize_params: 'Use name=value on each line.',
    });
    expect(missing(changed({ rotation: { kind: 'grace', seconds: '1.5' } }), true)).toHaveProperty('rotation');
  });

  it('a provider for sign-ins on another device needs no authorization endpoint', () => {
    expect(missing(changed({ authorization_endpoint: '' }), true)).toHaveProperty('authorization_endpoint');
    const device = { authorization_endpoint: '', device_authorization_endpoint: 'https://github.example/device' };
    expect(missing(changed(device), true)).toEqual({});
  });

  it('client credentials need a secret, and no authorization endpoint', () => {
    const machine = { grant_type: 'client_credentials', authorization_endpoint: '' } as const;
    const needed = { client_secret: 'Enter the client secret.' };
    expect(missing(changed(machine, { secret: 'replace' }), false)).toEqual(needed);
    expect(missing(changed(machine, { secret: 'replace', client_secret: 's' }), false)).toEqual({});
    expect(missing(changed(machine, { secret: 'keep' }), true)).toEqual({});
    expect(missing(changed(machine, { secret: 'replace' }), true)).toEqual({});
    expect(missing(changed(machine, { secret: 'clear' }), true)).toEqual(needed);
  });
});
