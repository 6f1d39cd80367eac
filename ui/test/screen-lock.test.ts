import { screen } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import type { Vault } from '../src/lib/types';
import { body, click, newTransport, open, text, type, user, settle, withConnection, withProvider } from './support';

async function locked(vault: Partial<Vault>, passphrase?: string) {
  const transport = newTransport();
  withConnection(transport, withProvider(transport));
  transport.engine.vault = { state: 'locked', slots: [], read_only: false, ...vault };
  transport.engine.passphrase = passphrase;
  await open(transport);
  return transport;
}

describe('a locked vault', () => {
  it('opens with its passphrase, and says at the field when it is the wrong one', async () => {
    const transport = await locked({ slots: ['passphrase'] }, 'correct horse');
    expect(document.activeElement).toBe(screen.getByTestId('passphrase'));
    expect(screen.queryByTestId('unlock-keyring')).toBeNull();
    await click('unlock');
    expect(text('error-passphrase')).toBe('Required');
    await type('passphrase', 'wrong');
    await click('unlock');
    expect(text('error-passphrase')).toContain('wrong passphrase');
    await type('passphrase', 'correct horse');
    await user.keyboard('{Enter}');
    await settle();
    expect(text('connected-as')).toBe('Connected as ada@example.org');
    expect(body(transport, 'POST')).toEqual({ passphrase: 'correct horse', create: false });
    expect(document.documentElement.outerHTML).not.toContain('correct horse');
  });

  it('opens with the keyring by one button', async () => {
    const transport = await locked({ slots: ['keyring'] });
    expect(screen.queryByTestId('passphrase')).toBeNull();
    await click('unlock-keyring');
    expect(body(transport, 'POST')).toEqual({ create: false });
    expect(screen.getByTestId('nav-providers')).toBeTruthy();
  });

  it('that needs the keyring and a passphrase asks for the passphrase', async () => {
    await locked({ slots: ['keyring_and_passphrase'] });
    expect(screen.getByTestId('passphrase')).toBeTruthy();
  });

  it.each(['has no key for this vault', 'is locked', 'did not answer within 5 s', 'holds the key of another vault'])(
    'whose keyring %s shows that message, and a button to try again',
    async (problem) => {
      const message = `the OS keyring ${problem}`;
      const transport = await locked({ slots: ['keyring'], code: 'oauth_unavailable', message });
      expect(text('vault-message')).toBe(message);
      expect(text('unlock-keyring')).toBe('Try again');
      await click('unlock-keyring');
      expect(text('vault-message')).toBe(message);
      transport.engine.vault = { ...transport.engine.vault, message: null };
      await click('unlock-keyring');
      expect(screen.getByTestId('nav-providers')).toBeTruthy();
    },
  );

  it('asks for nothing that is sealed', async () => {
    const transport = await locked({ slots: ['keyring'] });
    expect(transport.lines).toEqual(['GET /v1/status']);
  });
});

describe('the first run without a keyring', () => {
  const absent: Partial<Vault> = { state: 'absent', code: 'oauth_unavailable', message: 'there is no OS keyring' };

  it('asks for a passphrase twice and makes the vault with it', async () => {
    const transport = await locked(absent);
    await type('passphrase', 'short');
    await click('create-vault');
    expect(text('error-passphrase')).toBe('Use 8 to 1024 characters.');
    await type('passphrase', 'long enough');
    await type('passphrase-again', 'long enouhg');
    await click('create-vault');
    expect(text('error-passphrase-again')).toBe('The passphrases don’t match.');
    expect(transport.lines).toEqual(['GET /v1/status']);
    await type('passphrase-again', 'long enough');
    await click('create-vault');
    expect(body(transport, 'POST')).toEqual({ passphrase: 'long enough', create: true });
    expect(screen.getByTestId('nav-providers')).toBeTruthy();
  });

  it('says why, and tries the keyring again when asked', async () => {
    const transport = await locked(absent);
    expect(text('vault-message')).toContain('there is no OS keyring');
    await click('try-again');
    expect(body(transport, 'POST')).toEqual({ create: true });
  });
});

it('an engine that does not answer is said, and asked again by a button', async () => {
  const transport = newTransport();
  const request = vi.spyOn(transport, 'request').mockRejectedValueOnce(new Error('the engine has stopped'));
  await open(transport);
  expect(text('lock-screen')).toContain('the engine has stopped');
  await click('try-again');
  expect(screen.getByTestId('nav-providers')).toBeTruthy();
  expect(request).toHaveBeenCalled();
});

it('Lock shuts the vault and the window shows nothing of it', async () => {
  const transport = newTransport();
  withConnection(transport, withProvider(transport));
  await open(transport);
  await click('lock');
  expect(screen.getByTestId('lock-screen')).toBeTruthy();
  expect(document.body.textContent).not.toMatch(/sandbox|ada@/i);
});

it('a vault that was rolled back says that it is read-only', async () => {
  const transport = newTransport();
  transport.engine.vault = { ...transport.engine.vault, read_only: true, message: 'this profile is older than it was' };
  await open(transport);
  expect(document.body.textContent).toMatch(/read-only\s*this profile is older than it was/);
});

it('a keyring that is locked at the first start is no locked vault, and a passphrase is the second choice', async () => {
  const message = 'the OS keyring has not answered yet, mostly because it is locked';
  const transport = await locked({ state: 'absent', code: 'vault_locked', message });
  expect(text('lock-screen')).toContain('The keyring is locked');
  expect(text('lock-screen')).not.toContain('Tokenry is locked');
  expect(text('vault-message')).toContain(message);
  expect(document.activeElement).toBe(screen.getByTestId('try-again'));
  expect(screen.getByTestId('without-keyring').closest('details')?.open).toBe(false);
  // It was unlocked in its own window: the engine goes on, and so does this one.
  transport.engine.setVault({ state: 'unlocked', slots: ['keyring'], read_only: false });
  await settle();
  expect(screen.getByTestId('nav-providers')).toBeTruthy();
});

it('says that an older copy was put back, and goes on with it when the user says so', async () => {
  const transport = newTransport();
  withConnection(transport, withProvider(transport));
  const message = 'this profile may only be read: it was put back from an older copy';
  transport.engine.vault = { ...transport.engine.vault, read_only: true, older: true, message };
  await open(transport);
  expect(screen.getByText(message)).toBeTruthy();
  await click('accept-older');
  expect(screen.queryByText(message)).toBeNull();
  expect(screen.queryByTestId('accept-older')).toBeNull();
});

it('says what is wrong with a damaged vault, and looks again once a backup is in its place', async () => {
  const message = 'the folder held a vault, and its database is gone';
  const transport = await locked({ state: 'damaged', slots: ['keyring'], code: 'internal', message });
  expect(text('vault-message')).toBe(message);
  expect(screen.queryByTestId('passphrase')).toBeNull();
  transport.engine.vault = { ...transport.engine.vault, message: null };
  await click('try-again');
  expect(screen.getByTestId('nav-providers')).toBeTruthy();
});
