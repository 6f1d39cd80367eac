import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { nextId } from '../dev/memory/engine';
import { aCredential } from '../dev/memory/samples';
import { base64, credentialProblems, ofCredential, toUpdateCredential } from '../src/lib/form/credential';
import type { Credential } from '../src/lib/types';
import { body, click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

async function listed(...given: Partial<Credential>[]) {
  const transport = newTransport();
  withConnection(transport, withProvider(transport));
  for (const one of given) {
    const credential = aCredential({ id: nextId(), name: 'weather-key', ...one });
    transport.engine.credentials.set(credential.id, credential);
  }
  await open(transport);
  return transport;
}

describe('the list', () => {
  it('shows what was entered by hand beside the connections, and no connection twice', async () => {
    await listed({}, { name: 'github', type: 'oauth2_refresh' });
    expect(text('credential-weather-key')).toContain('API key');
    expect(screen.queryByTestId('credential-github')).toBeNull();
    expect(screen.getByTestId('connected-as')).toBeTruthy();
  });

  it('offers to copy each field that is not write-only', async () => {
    const transport = await listed({ type: 'default', fields: ['cert', 'key'], redact_fields: ['key'] });
    expect(text('credential-weather-key')).toContain('key (write-only)');
    expect(screen.queryByTestId('copy-key')).toBeNull();
    await click('copy-cert');
    expect(transport.copied).toEqual([expect.stringMatching(/^cert of /)]);
    expect(text('toast')).toContain('cleared in 45 seconds');
  });

  it('is filtered together with the providers', async () => {
    await listed({}, { name: 'printer', type: 'basic_auth', fields: ['username', 'password'] });
    await type('filter', 'printer');
    expect(screen.queryByTestId('credential-weather-key')).toBeNull();
    expect(screen.getByTestId('credential-printer')).toBeTruthy();
    await type('filter', 'nothing');
    expect(screen.queryByTestId('credentials')).toBeNull();
  });

  it('follows what happens elsewhere, deletion at its end included', async () => {
    const transport = await listed({});
    const [credential] = [...transport.engine.credentials.values()];
    transport.engine.putCredential({ ...(credential as Credential), name: 'renamed' });
    await settle();
    expect(screen.getByTestId('credential-renamed')).toBeTruthy();
    transport.engine.removeCredential(credential?.id ?? '');
    await settle();
    expect(screen.queryByTestId('credential-renamed')).toBeNull();
  });
});

describe('adding one', () => {
  it('sends the value in base64, and nothing of it stays in the window', async () => {
    const transport = await listed();
    await click('add-credential');
    await type('field-name', 'weather-key');
    await type('field-value', 'planted-sécret');
    await user.selectOptions(screen.getByTestId('field-until'), 'week');
    await click('save-credential');
    const sent = body(transport, 'POST /v1/credentials') as Record<string, unknown>;
    expect(sent).toMatchObject({ name: 'weather-key', type: 'raw', data: { value: 'cGxhbnRlZC1zw6ljcmV0' } });
    expect(Math.round((Date.parse(String(sent['expires_at'])) - Date.now()) / 86_400_000)).toBe(7);
    expect(screen.getByTestId('credential-expires')).toBeTruthy();
    expect(document.documentElement.outerHTML).not.toContain('planted-s');
  });

  it('asks for the fields of its type, and says at each what is wrong', async () => {
    const transport = await listed();
    await click('add-credential');
    await click('field-type-basic_auth');
    await type('field-username', 'a:b');
    await click('save-credential');
    expect(text('error-name')).toBe('Enter a name.');
    expect(text('error-username')).toContain('“:”');
    expect(text('error-password')).toBe('Required');
    expect(transport.lines).not.toContain('POST /v1/credentials');
    expect(screen.getByTestId('field-password').getAttribute('type')).toBe('password');
  });

  it('takes any fields, some of which are write-only', async () => {
    const transport = await listed();
    await click('add-credential');
    await click('field-type-default');
    await type('field-name', 'signing');
    await type('field-name-0', 'cert');
    await type('field-value-0', 'a');
    await click('add-field');
    await type('field-name-1', 'cert');
    await click('save-credential');
    expect(text('error-name-1')).toBe('Already used');
    await type('field-name-1', 'key');
    await type('field-value-1', 'b');
    await click('redact-1');
    await click('save-credential');
    const sent = { name: 'signing', type: 'default', data: { cert: 'YQ==', key: 'Yg==' }, redact_fields: ['key'] };
    expect(body(transport, 'POST /v1/credentials')).toEqual(sent);
  });

  it('under a taken name says so at the name', async () => {
    await listed({});
    await click('add-credential');
    await type('field-name', 'weather-key');
    await type('field-value', 'x');
    await click('save-credential');
    expect(text('error-name')).toContain('another credential is already called');
    expect(document.activeElement).toBe(screen.getByTestId('field-name'));
  });
});

describe('editing one', () => {
  it('shows no value, and sends only what changed', async () => {
    const transport = await listed({ type: 'basic_auth', fields: ['password', 'username'] });
    await click('edit-credential');
    for (const field of ['username', 'password']) {
      expect(screen.getByTestId<HTMLInputElement>(`field-${field}`).value).toBe('');
    }
    await type('field-password', 'new');
    await click('save-credential');
    expect(body(transport, 'PUT')).toEqual({ data: { password: 'bmV3' } });
  });

  it('takes a field away, adds one, and ends an expiry', () => {
    const before = aCredential({
      id: nextId(),
      name: 'signing',
      type: 'default',
      fields: ['a', 'b'],
      redact_fields: ['b'],
      expires_at: '2030-01-01T00:00:00Z',
    });
    const form = ofCredential(before);
    form.fields = [
      ...form.fields.filter(({ name }) => name !== 'a'),
      { name: 'c', value: 'x', kept: false, redact: true },
    ];
    form.until = 'never';
    expect(credentialProblems(form)).toEqual({});
    const sent = { data: { a: null, c: 'eA==' }, redact_fields: ['c'], expires_at: null };
    expect(toUpdateCredential(form, before, 0)).toEqual(sent);
    expect(toUpdateCredential(ofCredential(before), before, 0)).toEqual({});
  });

  it('deletes only after a second look', async () => {
    const transport = await listed({});
    await click('remove-credential');
    expect(document.activeElement?.textContent).toContain('Cancel');
    await click('confirm-remove-credential');
    expect(transport.lines.filter((line) => line.startsWith('DELETE /v1/credentials/'))).toHaveLength(1);
    expect(screen.queryByTestId('credential-weather-key')).toBeNull();
  });
});

it('base64 is that of the bytes in UTF-8', () => {
  expect([base64(''), base64('é'), base64('\u{1f511}')]).toEqual(['', 'w6k=', '8J+UkQ==']);
});
