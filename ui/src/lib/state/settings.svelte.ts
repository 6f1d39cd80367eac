import type { Client } from '../transport/client';
import type { AutoLockSources, Settings as Values, UpdateSettings } from '../types';

/** The user's settings, as the engine stores them. */
export class Settings {
  now = $state.raw<Values>();
  /** What auto-lock can rely on here. */
  sources = $state.raw<AutoLockSources>();

  readonly #client: Client;
  #ticket = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** @throws Failure */
  async load(): Promise<void> {
    const ticket = ++this.#ticket;
    const now = await this.#client.call('get', '/v1/settings');
    // The answer to an older question, or to one from before a lock.
    if (ticket === this.#ticket) this.now = now;
  }

  /** @throws Failure */
  async loadSources(): Promise<void> {
    this.sources = await this.#client.call('get', '/v1/auto-lock/sources');
  }

  /** @throws Failure */
  async change(fields: UpdateSettings): Promise<void> {
    const ticket = ++this.#ticket;
    const now = await this.#client.call('put', '/v1/settings', { body: fields });
    if (ticket === this.#ticket) this.now = now;
  }

  clear(): void {
    this.#ticket += 1;
    this.now = undefined;
  }
}
