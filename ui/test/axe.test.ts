import axe from 'axe-core';
import { describe, expect, it } from 'vitest';
import type { MemoryDoor } from '../src/lib/door/memory/door';
import { click, door, open, withConnection, withProvider } from './support';

/** What axe finds, in short. Colours cannot be judged here: contrast.test.ts does it. */
async function violations(): Promise<string[]> {
  const { violations } = await axe.run(document, { rules: { 'color-contrast': { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

function full(): MemoryDoor {
  const behind = door();
  const provider = withProvider(behind, { redirect: 'paste' });
  const soon = new Date(Date.now() + 60_000).toISOString();
  const trouble = { at: soon, message: 'no route', attempts: 1, next_try_at: soon };
  withConnection(behind, provider, { label: 'a', trouble, expires_at: soon, missing_scopes: ['x'] });
  withConnection(behind, provider, { label: 'b', status: 'needs_reauth', reason: 'client_rejected' });
  behind.engine.start(provider, 'c', undefined);
  behind.engine.log({ kind: 'token_handed_out', caller: 'program', program: '/usr/bin/git', outcome: 'refused' });
  return behind;
}

const screens: [string, () => MemoryDoor, () => Promise<void>][] = [
  ['no providers', door, async () => undefined],
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
      await click('save-provider');
      document.querySelector('details')?.setAttribute('open', '');
    },
  ],
  ['the form of a provider that is there', full, () => click('edit-sandbox')],
  ['the activity', full, () => click('nav-activity')],
  ['the help', full, () => click('help')],
  ['the dialog before a disconnect', full, () => click('disconnect')],
  ['the dialog of a further connection', full, () => click('connect-sandbox')],
  ['the lock screen', () => locked('locked'), async () => undefined],
  ['the first run', () => locked('absent'), () => click('create-vault')],
];

function locked(state: 'locked' | 'absent'): MemoryDoor {
  const behind = door();
  behind.engine.vault = {
    state,
    slots: state === 'locked' ? ['keyring', 'passphrase'] : [],
    read_only: false,
    message: 'no keyring',
  };
  return behind;
}

describe('axe finds nothing wrong with', () => {
  it.each(screens)('%s', async (_, behind, act) => {
    document.documentElement.lang = 'en';
    document.title = 'Tokenry';
    await open(behind());
    await act();
    expect(await violations()).toEqual([]);
  });
});
