import type { Client } from '../transport/client';
import { Failure } from '../transport/failure';
import type { EngineStatus } from '../types';

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

  /** The older copy of the vault counts as the newest from now on. @throws Failure */
  async acceptOlder(): Promise<void> {
    try {
      await this.#client.call('post', '/v1/vault/accept-older');
    } finally {
      await this.load();
    }
  }

  /** @throws Failure */
  async lock(): Promise<void> {
    await this.#client.call('post', '/v1/lock');
    await this.load();
  }
}
