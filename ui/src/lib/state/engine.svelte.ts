import type { Client } from '../transport/client';
import { Failure } from '../transport/failure';
import type { EngineStatus, SlotKind, SlotProof, UnlockRequested } from '../types';

/** The engine and its vault. */
export class Engine {
  status = $state.raw<EngineStatus | undefined>();
  /** Why the engine does not say how it is. */
  failure = $state.raw<Failure | undefined>();

  readonly unlocked = $derived(this.status?.vault.state === 'unlocked');

  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async load(): Promise<void> {
    try {
      this.status = await this.#client.call('get', '/v1/status');
      this.failure = undefined;
    } catch (cause) {
      this.failure = Failure.from(cause);
    }
  }

  /** Without a passphrase the keyring is asked. `create` makes a vault where there is none. @throws Failure */
  async unlock(passphrase: string | undefined, create: boolean): Promise<void> {
    try {
      await this.#client.call('post', '/v1/unlock', {
        body: passphrase === undefined ? { create } : { passphrase, create },
      });
    } finally {
      // A failed attempt may have found out more about the keyring.
      await this.load();
    }
  }

  /** Opens the vault when the keyring or the passphrase is lost. @throws Failure */
  async unlockWithCode(recovery_code: string): Promise<void> {
    try {
      await this.#client.call('post', '/v1/unlock', { body: { recovery_code } });
    } finally {
      await this.load();
    }
  }

  /** Adds a way to unlock the vault, or changes the one of its kind. @throws Failure */
  async setSlot(kind: SlotKind, proof: SlotProof, new_passphrase?: string): Promise<void> {
    const body = new_passphrase === undefined ? proof : { ...proof, new_passphrase };
    await this.#client.call('put', '/v1/vault/slots/{kind}', { path: { kind }, body });
    await this.load();
  }

  /** @throws Failure */
  async removeSlot(kind: SlotKind, proof: SlotProof): Promise<void> {
    await this.#client.call('delete', '/v1/vault/slots/{kind}', { path: { kind }, body: proof });
    await this.load();
  }

  /** A code that is not good yet. @throws Failure */
  async newRecoveryCode(proof: SlotProof): Promise<string> {
    return (await this.#client.call('post', '/v1/vault/recovery-code', { body: proof })).code;
  }

  /** From now on this code opens the vault, and the one before it does not. @throws Failure */
  async confirmRecoveryCode(code: string): Promise<void> {
    await this.#client.call('post', '/v1/vault/recovery-code/confirm', { body: { code } });
    await this.load();
  }

  /** The older copy of the vault counts as the newest from now on. @throws Failure */
  async acceptOlder(): Promise<void> {
    try {
      await this.#client.call('post', '/v1/vault/accept-older');
    } finally {
      await this.load();
    }
  }

  /** The requests that wait until the vault is unlocked. @throws Failure */
  unlockRequests(): Promise<UnlockRequested[]> {
    return this.#client.call('get', '/v1/unlock-requests');
  }

  /** The user does not unlock the vault now. @throws Failure */
  async dismissUnlockRequests(): Promise<void> {
    await this.#client.call('delete', '/v1/unlock-requests');
    await this.load();
  }

  /** The user uses the window: auto-lock counts that. @throws Failure */
  async used(): Promise<void> {
    await this.#client.call('post', '/v1/window/used');
  }

  /** @throws Failure */
  async lock(): Promise<void> {
    await this.#client.call('post', '/v1/lock');
    await this.load();
  }
}
