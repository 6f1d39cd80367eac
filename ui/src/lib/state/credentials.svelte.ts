import type { Client } from '../transport/client';
import type { CreateCredential, Credential, UpdateCredential } from '../types';
import { byId, byText } from '../text/order';
import { ResourceStore } from './resource-store.svelte';

/** What was entered by hand, by name. Connections, which the contract lists among the credentials, are not here. */
export class Credentials extends ResourceStore<Credential> {
  readonly list = $derived([...this.items.values()].sort((a, b) => byText(a.name, b.name) || byId(a, b)));

  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  /** @throws Failure */
  async add(fields: CreateCredential): Promise<Credential> {
    const added = await this.#client.call('post', '/v1/credentials', { body: fields });
    this.put(added);
    return added;
  }

  /** @throws Failure */
  async change(id: string, fields: UpdateCredential): Promise<Credential> {
    const changed = await this.#client.call('put', '/v1/credentials/{id}', { path: { id }, body: fields });
    this.put(changed);
    return changed;
  }

  /** @throws Failure */
  async remove(id: string): Promise<void> {
    await this.#client.call('delete', '/v1/credentials/{id}', { path: { id } });
    this.drop(id);
  }

  protected override show(id: string, item: Credential | undefined, ticket: number): void {
    super.show(id, item?.type === 'oauth2_refresh' ? undefined : item, ticket);
  }

  protected fetchAll(): Promise<Credential[]> {
    return this.#client.call('get', '/v1/credentials');
  }

  protected fetchOne(id: string): Promise<Credential> {
    return this.#client.call('get', '/v1/credentials/{id}', { path: { id } });
  }
}
