import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { Vault } from '../src/lib/types';
import { isGroup, twoOf } from '../src/screens/settings/recovery-code';
import { body, click, newTransport, open, text, type } from './support';

async function opened(vault: Partial<Vault> = {}, passphrase?: string) {
  const transport = newTransport();
  transport.engine.vault = { state: 'unlocked', slots: ['keyring'], read_only: false, ...vault };
  transport.engine.passphrase = passphrase;
  await open(transport);
  return transport;
}

/** Types the groups that are asked for, and gives the whole code. */
async function confirm(): Promise<string> {
  const groups = [...screen.getByTestId('recovery-code').querySelectorAll('li')].map((item) =>
    item.textContent.slice(1),
  );
  expect(groups).toHaveLength(7);
  await click('recovery-next');
  for (const [at, group] of groups.entries()) {
    if (screen.queryByTestId(`field-group-${at + 1}`)) await type(`field-group-${at + 1}`, group.toLowerCase());
  }
  await click('recovery-next');
  return groups.join('-');
}

describe('a recovery code', () => {
  it('is offered where there is none, shown once and kept once it was written down', async () => {
    const transport = await opened();
    await click('recovery-create');
    await click('recovery-next');
    const code = await confirm();
    expect(body(transport, 'POST /v1/vault/recovery-code/confirm')).toEqual({ code });
    expect(screen.queryByTestId('recovery-dialog')).toBeNull();
    expect(screen.queryByTestId('recovery-reminder')).toBeNull();
    expect(document.documentElement.outerHTML).not.toContain(code.slice(0, 5));
  });

  it('is not kept when a group is typed wrong', async () => {
    const transport = await opened();
    await click('recovery-create');
    await click('recovery-next');
    await click('recovery-next');
    await click('recovery-next');
    expect(screen.getAllByTestId(/^error-group-/)).toHaveLength(2);
    expect(transport.engine.vault.slots).toEqual(['keyring']);
    await click('recovery-back');
    await confirm();
    expect(transport.engine.vault.slots).toEqual(['keyring', 'recovery_code']);
  });

  it('is not offered again after "Not now"', async () => {
    await opened();
    await click('recovery-later');
    expect(screen.queryByTestId('recovery-reminder')).toBeNull();
  });

  it('opens a locked vault, and the window says what to do next', async () => {
    const transport = await opened({ state: 'locked', slots: ['keyring', 'recovery_code'], message: 'no key' });
    transport.engine.recoveryCode = '01230-4567M-89ABE-CDEFN-GHJK7-MNPQ5-RSTVP';
    await click('use-code');
    await type('recovery-code-field', '01230 4567M');
    await click('unlock-code');
    expect(text('error-recovery-code')).toContain('10 characters');
    await type('recovery-code-field', '01230 4567m 89abe cdefn ghjk7 mnpq5 rstvp');
    await click('unlock-code');
    expect(screen.getByTestId('recovery-used')).toBeTruthy();
    await click('recovery-settings');
    expect(screen.getByTestId('ways-to-unlock')).toBeTruthy();
  });
});

describe('the ways to unlock', () => {
  it('are changed with the passphrase where the keyring does not open the vault alone', async () => {
    const transport = await opened({ slots: ['passphrase'] }, 'first passphrase');
    await click('nav-settings');
    expect(screen.queryByTestId('remove-passphrase')).toBeNull();
    await click('set-passphrase');
    await type('field-new_passphrase', 'second passphrase');
    await type('field-again', 'second');
    await click('save-slot');
    expect(text('error-again')).toContain('match');
    await type('field-again', 'second passphrase');
    await click('save-slot');
    expect(text('error-passphrase')).toContain('wrong');
    await type('field-passphrase', 'first passphrase');
    await click('save-slot');
    expect(transport.engine.passphrase).toBe('second passphrase');
    expect(screen.queryByTestId('slot-dialog')).toBeNull();
  });

  it('show what still opens the vault alone, until that is removed', async () => {
    const transport = await opened({ slots: ['keyring', 'keyring_and_passphrase'] }, 'a passphrase');
    await click('nav-settings');
    expect(text('ways-to-unlock')).toContain('still unlocks the vault alone');
    await click('remove-keyring');
    await click('confirm-remove-slot');
    expect(transport.engine.vault.slots).toEqual(['keyring_and_passphrase']);
    expect(text('ways-to-unlock')).not.toContain('still unlocks the vault alone');
  });
});

it('two different groups are asked for, in their order', () => {
  for (let round = 0; round < 500; round += 1) {
    const [first, second] = twoOf(7);
    expect(first).toBeGreaterThanOrEqual(1);
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThanOrEqual(7);
  }
});

it('a group may be typed in lower case and with lookalikes', () => {
  expect(isGroup('0A1BC', ' oalbc ')).toBe(true);
  expect(isGroup('0A1BC', '0A1BD')).toBe(false);
  expect(isGroup(undefined, '')).toBe(false);
});
