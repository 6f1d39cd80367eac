import { screen } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import type { RestoreItem } from '../src/lib/types';
import { body, click, newTransport, open, settle, text, type } from './support';

const PROVIDER = '01890a5d-ac96-774b-bcce-b302099a8057';
const CONNECTION = '01890a5d-ac96-774b-bcce-b302099a8058';

const item = (given: Partial<RestoreItem>): RestoreItem => ({
  id: CONNECTION,
  kind: 'connection',
  name: 'github/work',
  state: 'new',
  ...given,
});

async function openSettings() {
  const transport = newTransport();
  await open(transport);
  await click('nav-settings');
  return transport;
}

const value = (testid: string) => screen.getByTestId<HTMLInputElement>(testid).value;
const checked = (testid: string) => screen.getByTestId<HTMLInputElement>(testid).checked;

it('a backup goes into the file of the dialog, with a passphrase that is typed twice and forgotten', async () => {
  const transport = await openSettings();
  await click('choose-backup-file');
  expect(value('field-backup-file')).toBe('/home/ada/tokenry-backup.age');
  // The dialog has asked whether the file is replaced.
  expect(checked('field-backup-replace')).toBe(true);
  await type('field-backup-passphrase', 'correct horse');
  await type('field-backup-repeat', 'correct house');
  await click('write-backup');
  expect(text('error-backup-repeat')).toContain('do not match');
  expect(body(transport, 'POST /v1/backups')).toBeUndefined();
  await type('field-backup-repeat', 'correct horse');
  await click('field-backup-tokens');
  await click('write-backup');
  expect(body(transport, 'POST /v1/backups')).toEqual({
    file: '/home/ada/tokenry-backup.age',
    replace: true,
    with_refresh_tokens: true,
    passphrase: 'correct horse',
  });
  expect(text('backup-done')).toContain('Wrote and checked /home/ada/tokenry-backup.age');
  expect([value('field-backup-passphrase'), value('field-backup-repeat')]).toEqual(['', '']);
});

it('a backup for recipients sends them, and a refusal is shown where it belongs', async () => {
  const transport = await openSettings();
  await type('field-backup-file', '/home/ada/x.age');
  await click('field-backup-by-recipients');
  await type('field-backup-recipients', 'age1one age1two');
  transport.failNext('POST /v1/backups', {
    code: 'validation_error',
    message: 'recipients',
    details: { fields: { recipients: 'cannot be used: recipient 2 is not an age recipient' } },
  });
  await click('write-backup');
  expect(text('error-backup-recipients')).toContain('recipient 2');
  transport.failNext('POST /v1/backups', { code: 'conflict', message: '/home/ada/x.age exists' });
  await click('write-backup');
  expect(text('backup-failure')).toContain('exists');
  await click('write-backup');
  expect(body(transport, 'POST /v1/backups')).toMatchObject({ recipients: ['age1one', 'age1two'], replace: false });
});

it('a backup under way shows how far it is and can be cancelled', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const transport = await openSettings();
  transport.engine.holdsJobs = true;
  await type('field-backup-file', '/home/ada/x.age');
  await type('field-backup-passphrase', 'correct horse');
  await type('field-backup-repeat', 'correct horse');
  await click('write-backup');
  const bar = screen.getByRole<HTMLProgressElement>('progressbar');
  expect([bar.value, bar.max]).toEqual([1, 4]);
  await click('cancel-backup');
  await vi.waitFor(() => expect(text('backup-done')).toContain('Cancelled'));
  expect(transport.lines.some((line) => line.startsWith('DELETE /v1/jobs/'))).toBe(true);
  expect(screen.queryByTestId('backup-progress')).toBeNull();
  vi.useRealTimers();
});

it('a restore shows what is new and in conflict, and replaces only what is selected', async () => {
  const transport = await openSettings();
  transport.engine.items = [
    item({
      id: PROVIDER,
      kind: 'provider',
      name: 'github',
      state: 'conflict',
      can_replace: true,
      differences: [
        { field: 'token_endpoint', change: 'changed', from: 'https://a.example', to: 'https://b.example' },
        { field: 'client_secret', change: 'changed' },
      ],
    }),
    item({ needs: PROVIDER, needs_sign_in: true }),
    item({ id: nextStuck, kind: 'credential', name: 'mail', state: 'conflict', note: 'Rename that one first.' }),
  ];
  await click('choose-restore-file');
  await type('field-restore-passphrase', 'correct horse');
  await click('read-backup');
  expect(body(transport, 'POST /v1/restores')).toEqual({
    file: '/home/ada/tokenry-backup.age',
    passphrase: 'correct horse',
  });
  expect(screen.getAllByTestId('conflict')).toHaveLength(2);
  expect(text('conflict')).toContain('https://a.example here, https://b.example in the backup');
  expect(text('conflict')).toContain('Client secret: differs');
  expect(text('conflict', 1)).toContain('Rename that one first.');
  expect(text('new-item')).toContain('Select its provider, too');
  // Without its provider nothing of it is restored.
  expect(screen.getByTestId('nothing')).toBeTruthy();
  expect(screen.getByTestId<HTMLButtonElement>('apply-restore').disabled).toBe(true);
  await click(`field-replace-${PROVIDER}`);
  expect(text('sign-ins')).toBe('1 connection needs a new sign-in after the restore.');
  await click('apply-restore');
  expect(body(transport, 'POST /v1/restores/')).toEqual({ replace: [PROVIDER] });
  expect(text('restore-done')).toBe('Restored: 1 added, 1 replaced.');
  expect(screen.queryByTestId('preview')).toBeNull();
});

const nextStuck = '01890a5d-ac96-774b-bcce-b302099a8059';

it('an identity file is named and not read by the window', async () => {
  const transport = await openSettings();
  await click('choose-restore-file');
  await click('field-restore-by-identity');
  await click('choose-restore-identity');
  await click('read-backup');
  expect(body(transport, 'POST /v1/restores')).toEqual({
    file: '/home/ada/tokenry-backup.age',
    identity_file: '/home/ada/identity.txt',
  });
  await click('discard-restore');
  expect(screen.queryByTestId('preview')).toBeNull();
});

it('a lock forgets what was read', async () => {
  const transport = await openSettings();
  transport.engine.items = [item({})];
  await click('choose-restore-file');
  await type('field-restore-passphrase', 'correct horse');
  await click('read-backup');
  expect(screen.getByTestId('preview')).toBeTruthy();
  transport.engine.setVault({ ...transport.engine.vault, state: 'locked' });
  await settle();
  transport.engine.setVault({ ...transport.engine.vault, state: 'unlocked' });
  await settle();
  expect(screen.queryByTestId('preview')).toBeNull();
});

it('the daily backup is off until it is saved, and keeps its passphrase without showing it', async () => {
  const transport = await openSettings();
  expect(checked('field-daily')).toBe(false);
  expect(screen.queryByTestId('save-daily')).toBeNull();
  await click('field-daily');
  await click('choose-daily-folder');
  await type('field-daily-passphrase', 'correct horse');
  await type('field-daily-repeat', 'correct horse');
  await click('save-daily');
  expect(body(transport, 'PUT /v1/backups/daily')).toEqual({
    enabled: true,
    folder: '/home/ada/backups',
    passphrase: 'correct horse',
    with_refresh_tokens: false,
  });
  expect(value('field-daily-passphrase')).toBe('');
  expect(text('daily-backup')).toContain('kept in the vault');
  await click('field-daily');
  await click('save-daily');
  expect(body(transport, 'PUT /v1/backups/daily')).toMatchObject({ enabled: false });
});

it('a daily backup that failed says so', async () => {
  const transport = newTransport();
  transport.engine.daily = {
    enabled: true,
    folder: '/mnt/stick',
    recipients: ['age1one'],
    has_passphrase: false,
    with_refresh_tokens: false,
    failure: 'The daily backup failed: there is no folder /mnt/stick.',
  };
  await open(transport);
  await click('nav-settings');
  expect(text('daily-failure')).toContain('no folder /mnt/stick');
  expect(value('field-daily-recipients')).toBe('age1one');
});
