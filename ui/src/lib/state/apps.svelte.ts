import type { Client } from '../transport/client';
import type { App, CreateGrant, Grant, ScopeWords } from '../types';

/** The apps with their grants, by name, and what a grant can hold. */
export class Apps {
  list = $state.raw<App[]>([]);
  /** Every scope of the API, in messages. */
  scopes = $state.raw<ScopeWords[]>([]);
  /** Whether the list was here once. */
  loaded = $state(false);

  readonly byId = $derived(new Map(this.list.map((app) => [app.id, app])));

  readonly #client: Client;
  #ticket = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  get(id: string): App | undefined {
    return this.byId.get(id);
  }

  /** @throws Failure */
  async load(): Promise<void> {
    const ticket = ++this.#ticket;
    const list = await this.#client.call('get', '/v1/apps');
    // The answer to an older question, or to one from before a lock.
    if (ticket !== this.#ticket) return;
    this.list = list;
    this.loaded = true;
  }

  /** @throws Failure */
  async loadScopes(): Promise<void> {
    if (this.scopes.length === 0) this.scopes = (await this.#client.call('get', '/oauth/scopes')).scopes;
  }

  /** @throws Failure */
  async remove(id: string): Promise<void> {
    await this.#client.call('delete', '/v1/apps/{id}', { path: { id } });
    await this.load();
  }

  /** @throws Failure */
  async give(grant: CreateGrant): Promise<Grant> {
    const given = await this.#client.call('post', '/v1/grants', { body: grant });
    await this.load();
    return given;
  }

  /** @throws Failure */
  async take(grant: string): Promise<void> {
    await this.#client.call('delete', '/v1/grants/{id}', { path: { id: grant } });
    await this.load();
  }

  clear(): void {
    this.#ticket += 1;
    this.list = [];
    this.loaded = false;
  }
}
