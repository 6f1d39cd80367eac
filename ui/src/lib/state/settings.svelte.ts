import type { Client } from '../door/client';
import type { Settings as Values } from '../types';

/** The person's choices, as the engine keeps them. */
export class Settings {
  now = $state.raw<Values>();

  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** @throws Failure */
  async load(): Promise<void> {
    this.now = await this.#client.call('get', '/v1/settings');
  }

  /** @throws Failure */
  async change(fields: Partial<Pick<Values, 'loopback'>>): Promise<void> {
    this.now = await this.#client.call('put', '/v1/settings', { body: fields });
  }

  clear(): void {
    this.now = undefined;
  }
}
