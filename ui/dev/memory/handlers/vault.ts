/** The engine's status, its vault and its settings. */
import type { SetSlot, SlotKind, SlotProof, UpdateSettings } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import type { MemoryEngine } from '../engine';
import { on, SUCCESS } from './on';

const CODE = '01230-4567M-89ABE-CDEFN-GHJK7-MNPQ5-RSTVP';

export const vault = [
  on('get', '/v1/status', (engine) => engine.status()),
  on('post', '/v1/lock', (engine) => {
    engine.setVault({ ...engine.vault, state: 'locked' });
    return SUCCESS;
  }),
  on('post', '/v1/unlock', (engine, { body }) =>
    body?.recovery_code
      ? unlockWithCode(engine, body.recovery_code)
      : unlock(engine, body?.passphrase ?? undefined, body?.create ?? false),
  ),
  on('put', '/v1/vault/slots/{kind}', (engine, { path, body }) => setSlot(engine, path.kind as SlotKind, body ?? {})),
  on('delete', '/v1/vault/slots/{kind}', (engine, { path, body }) =>
    removeSlot(engine, path.kind as SlotKind, body ?? {}),
  ),
  on('post', '/v1/vault/recovery-code', (engine, { body }) => {
    prove(engine, body ?? {});
    return { code: CODE };
  }),
  on('post', '/v1/vault/recovery-code/confirm', (engine, { body }) => {
    engine.recoveryCode = body.code;
    return slots(engine, 'recovery_code', true);
  }),
  on('post', '/v1/vault/accept-older', (engine) => {
    engine.setVault({ state: 'unlocked', slots: engine.vault.slots, read_only: false });
    return SUCCESS;
  }),
  on('get', '/v1/doctor', (engine) => engine.checked),
  on('get', '/v1/settings', (engine) => engine.settings),
  on('put', '/v1/settings', (engine, { body }) => changeSettings(engine, body)),
  on('get', '/v1/auto-lock/sources', (engine) => engine.sources),
  on('get', '/v1/unlock-requests', (engine) => engine.unlockRequests),
  on('delete', '/v1/unlock-requests', (engine) => {
    engine.setUnlockRequests([]);
    return SUCCESS;
  }),
  on('post', '/v1/window/used', () => SUCCESS),
];

function unlock(engine: MemoryEngine, passphrase: string | undefined, create: boolean) {
  if (engine.vault.state === 'absent' && create && passphrase !== undefined) {
    engine.passphrase = passphrase;
    engine.setVault({ state: 'unlocked', slots: ['passphrase'], read_only: false });
    return SUCCESS;
  }
  if (engine.passphrase !== undefined && passphrase !== engine.passphrase) {
    throw new ApiError('vault_locked', 'wrong passphrase');
  }
  if (passphrase === undefined && engine.vault.message) {
    throw new ApiError(engine.vault.code ?? 'oauth_unavailable', engine.vault.message);
  }
  engine.setVault({ state: 'unlocked', slots: engine.vault.slots, read_only: false });
  return SUCCESS;
}

function unlockWithCode(engine: MemoryEngine, code: string) {
  const plain = (text: string) => text.toUpperCase().replace(/[^0-9A-Z]/g, '');
  if (plain(code).length !== 35) {
    const wrong = `has ${plain(code).length} characters, and a recovery code has 35, in seven groups of five`;
    throw new ApiError('validation_error', 'the recovery code is too short', { fields: { recovery_code: wrong } });
  }
  if (engine.recoveryCode === undefined || plain(code) !== plain(engine.recoveryCode)) {
    throw new ApiError('vault_locked', 'this recovery code does not open the vault');
  }
  engine.setVault({ state: 'unlocked', slots: engine.vault.slots, read_only: false });
  return SUCCESS;
}

/** As the engine: only where the keyring does not open the vault alone. */
function prove(engine: MemoryEngine, proof: SlotProof) {
  if (engine.vault.slots.includes('keyring')) return;
  if (proof.recovery_code != null && proof.recovery_code === engine.recoveryCode) return;
  if (proof.passphrase != null && proof.passphrase === engine.passphrase) return;
  throw new ApiError('validation_error', 'passphrase is wrong', { fields: { passphrase: 'is wrong; type it again' } });
}

function slots(engine: MemoryEngine, kind: SlotKind, there: boolean) {
  const others = engine.vault.slots.filter((slot) => slot !== kind);
  engine.setVault({ ...engine.vault, slots: there ? [...others, kind] : others });
  engine.log({ kind: 'unlocking_changed' });
  return SUCCESS;
}

function setSlot(engine: MemoryEngine, kind: SlotKind, body: SetSlot) {
  prove(engine, { passphrase: body.passphrase ?? null, recovery_code: body.recovery_code ?? null });
  if (body.new_passphrase != null) engine.passphrase = body.new_passphrase;
  return slots(engine, kind, true);
}

function removeSlot(engine: MemoryEngine, kind: SlotKind, proof: SlotProof) {
  prove(engine, proof);
  if (engine.vault.slots.filter((slot) => slot !== kind && slot !== 'recovery_code').length === 0) {
    throw new ApiError('conflict', 'this is the last way to unlock the vault besides a recovery code');
  }
  return slots(engine, kind, false);
}

function changeSettings(engine: MemoryEngine, change: UpdateSettings) {
  const { loopback, ask_passphrase, auto_lock, tokens_while_locked, oidc_agent } = change;
  if (loopback != null) {
    engine.settings = { ...engine.settings, loopback, loopback_port: loopback ? 49200 : null };
    engine.log({ kind: 'settings_changed' });
  }
  if (ask_passphrase != null) {
    engine.settings = { ...engine.settings, ask_passphrase };
    engine.log({ kind: 'settings_changed' });
  }
  if (auto_lock != null) {
    const { idle_minutes, ...switches } = auto_lock;
    const before = engine.settings.auto_lock;
    const idle = idle_minutes == null ? (before.idle_minutes ?? null) : idle_minutes || null;
    engine.settings = { ...engine.settings, auto_lock: { ...before, ...given(switches), idle_minutes: idle } };
    engine.log({ kind: 'settings_changed' });
  }
  if (tokens_while_locked != null) {
    engine.settings = { ...engine.settings, tokens_while_locked };
    engine.log({ kind: 'settings_changed' });
  }
  if (oidc_agent != null) {
    engine.settings = { ...engine.settings, oidc_agent };
    engine.log({ kind: 'settings_changed' });
  }
  return engine.settings;
}

function given(switches: Record<string, boolean | null | undefined>): Record<string, boolean> {
  return Object.fromEntries(Object.entries(switches).filter((entry): entry is [string, boolean] => entry[1] != null));
}
