import type { Client } from '../transport/client';
import type { ApplyPreset, CheckReport, CreateProvider, Provider, RegisterRequest, UpdateProvider } from '../types';
import { byId, byText } from '../text/order';
import { ResourceStore } from './resource-store.svelte';

/** The providers, by the name that is shown. */
export class Providers extends ResourceStore<Provider> {
  readonly list = $derived(
    [...this.items.values()].sort((a, b) => byText(a.display_name, b.display_name) || byId(a, b)),
  );

  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  /** @throws Failure */
  async add(fields: CreateProvider): Promise<Provider> {
    const added = await this.#client.call('post', '/v1/oauth-providers', { body: fields });
    this.put(added);
    return added;
  }

  /** Registers Tokenry at a provider that was looked up, and adds it. @throws Failure */
  async register(body: RegisterRequest): Promise<Provider> {
    const added = await this.#client.call('post', '/v1/registrations', { body });
    this.put(added);
    return added;
  }

  /** @throws Failure */
  async change(id: string, fields: UpdateProvider): Promise<Provider> {
    const changed = await this.#client.call('put', '/v1/oauth-providers/{id}', { path: { id }, body: fields });
    this.put(changed);
    return changed;
  }

  /** Follows a newer preset. @throws Failure */
  async follow(id: string, body: ApplyPreset): Promise<void> {
    this.put(await this.#client.call('post', '/v1/oauth-providers/{id}/preset', { path: { id }, body }));
  }

  /** With `disconnect`, its connections first. @throws Failure */
  async remove(id: string, disconnect: boolean): Promise<void> {
    await this.#client.call('delete', '/v1/oauth-providers/{id}', { path: { id }, query: { disconnect } });
    this.drop(id);
  }

  /** @throws Failure */
  check(id: string): Promise<CheckReport> {
    return this.#client.call('post', '/v1/oauth-providers/{id}/check', { path: { id } });
  }

  /** The public key to register at the provider, as a JWK set. @throws Failure */
  async publicKey(id: string): Promise<string> {
    const keys = await this.#client.call('get', '/v1/oauth-providers/{id}/jwks', { path: { id } });
    return JSON.stringify(keys, null, 2);
  }

  protected fetchAll(): Promise<Provider[]> {
    return this.#client.call('get', '/v1/oauth-providers');
  }

  protected fetchOne(id: string): Promise<Provider> {
    return this.#client.call('get', '/v1/oauth-providers/{id}', { path: { id } });
  }
}
