/** The engine's status, its vault and its settings. */
import type { UpdateSettings } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import type { MemoryEngine } from '../engine';
import { on, SUCCESS } from './on';

export const vault = [
  on('get', '/v1/status', (engine) => engine.status()),
  on('post', '/v1/lock', (engine) => {
    engine.setVault({ ...engine.vault, state: 'locked' });
    return SUCCESS;
  }),
  on('post', '/v1/unlock', (engine, { body }) => unlock(engine, body?.passphrase ?? undefined, body?.create ?? false)),
  on('post', '/v1/vault/accept-older', (engine) => {
    engine.setVault({ state: 'unlocked', slots: engine.vault.slots, read_only: false });
    return SUCCESS;
  }),
  on('get', '/v1/settings', (engine) => engine.settings),
  on('put', '/v1/settings', (engine, { body }) => changeSettings(engine, body)),
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

function changeSettings(engine: MemoryEngine, { loopback, ask_passphrase }: UpdateSettings) {
  if (loopback != null) {
    engine.settings = { ...engine.settings, loopback, loopback_port: loopback ? 49200 : null };
    engine.log({ kind: 'settings_changed' });
  }
  if (ask_passphrase != null) {
    engine.settings = { ...engine.settings, ask_passphrase };
    engine.log({ kind: 'settings_changed' });
  }
  return engine.settings;
}
