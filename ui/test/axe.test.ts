import axe from 'axe-core';
import { describe, expect, it } from 'vitest';
import type { MemoryTransport } from '../dev/memory/transport';
import { nextId } from '../dev/memory/engine';
import { aCredential, aDeviceCode, aGrant, anApp } from '../dev/memory/samples';
import { click, newTransport, open, type, withConnection, withProvider } from './support';

/** What axe finds, in short. Colours cannot be judged here: contrast.test.ts does it. */
async function violations(): Promise<string[]> {
  const { violations } = await axe.run(document, { rules: { 'color-contrast': { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

function full(): MemoryTransport {
  const transport = newTransport();
  const provider = withProvider(transport, { redirect: 'paste' });
  const soon = new Date(Date.now() + 60_000).toISOString();
  const trouble = { at: soon, message: 'no route', attempts: 1, next_try_at: soon };
  withConnection(transport, provider, { label: 'a', trouble, expires_at: soon, missing_scopes: ['x'] });
  withConnection(transport, provider, { label: 'b', status: 'needs_reauth', reason: 'client_rejected' });
  transport.engine.start(provider, 'c', undefined);
  transport.engine.start(provider, 'd', undefined, aDeviceCode(provider));
  transport.engine.log({ kind: 'token_handed_out', caller: 'program', program: '/usr/bin/git', outcome: 'refused' });
  const app = anApp({ id: nextId(), name: 'release-notes' });
  transport.engine.apps.set(app.id, { ...app, grants: [aGrant(app, { id: nextId(), scopes: ['activity:read'] })] });
  const credential = aCredential({ id: nextId(), name: 'weather-key', expires_at: soon });
  transport.engine.credentials.set(credential.id, credential);
  return transport;
}

const screens: [string, () => MemoryTransport, () => Promise<void>][] = [
  ['no providers', newTransport, async () => undefined],
  ['providers and connections', full, async () => undefined],
  [
    'an error and good news',
    full,
    async () => {
      await click('copy-token');
      await click('copy-link');
    },
  ],
  [
    'the form, with errors and unfolded',
    full,
    async () => {
      await click('add-provider');
      await click('by-hand');
      await click('save-provider');
      document.querySelector('details')?.setAttribute('open', '');
    },
  ],
  [
    'what an address says, with errors',
    full,
    async () => {
      await click('add-provider');
      await type('preset-search', 'https://mcp.example.com/mcp');
      await click('look-up');
      await click('field-client-own');
      await click('save-provider');
    },
  ],
  ['the form of a provider that is there', full, () => click('edit-sandbox')],
  ['the activity', full, () => click('nav-activity')],
  ['the apps', full, () => click('nav-apps')],
  [
    'the tools, and a change that is shown',
    full,
    async () => {
      await click('nav-tools');
      await click('set-up-git');
      await click('show-change');
    },
  ],
  [
    'the dialog of a new grant, with errors',
    full,
    async () => {
      await click('nav-apps');
      await click('give-grant');
      await click('scope-tokens:read');
      await click('scope-credentials:read');
      await click('confirm-grant');
    },
  ],
  [
    'the dialog of a new app',
    full,
    async () => {
      await click('nav-apps');
      await click('register-app');
    },
  ],
  [
    'the dialog of a new credential, with errors',
    full,
    async () => {
      await click('add-credential');
      await click('field-type-default');
      await click('save-credential');
    },
  ],
  ['the settings', full, () => click('nav-settings')],
  ['the help', full, () => click('help')],
  ['the dialog before a disconnect', full, () => click('disconnect')],
  ['the dialog of a further connection', full, () => click('connect-sandbox')],
  ['the lock screen', () => locked('locked'), async () => undefined],
  ['the first run', () => locked('absent'), () => click('create-vault')],
];

function locked(state: 'locked' | 'absent'): MemoryTransport {
  const transport = newTransport();
  transport.engine.vault = {
    state,
    slots: state === 'locked' ? ['keyring', 'passphrase'] : [],
    read_only: false,
    message: 'no keyring',
  };
  return transport;
}

/** Looking at a whole window takes a busy machine a while. */
describe('axe finds nothing wrong with', () => {
  it.each(screens)(
    '%s',
    async (_, transport, act) => {
      document.documentElement.lang = 'en';
      document.title = 'Tokenry';
      await open(transport());
      await act();
      expect(await violations()).toEqual([]);
    },
    30_000,
  );
});
