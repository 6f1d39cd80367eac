import type { Client } from '../transport/client';
import { byId, byText } from '../text/order';
import type { Connection, Revoked } from '../types';
import { ResourceStore } from './resource-store.svelte';

/** What the user has to do something about comes first. */
const urgency = ({ status }: Connection): number => (status === 'needs_reauth' ? 0 : status === 'expiring' ? 1 : 2);

/** The connections, and those of each provider. */
export class Connections extends ResourceStore<Connection> {
  /**
   * From provider id to its connections: those that need a sign-in first, then those that will soon; the oldest first,
   * since ids are made in the order of time.
   */
  readonly byProvider = $derived.by(() => {
    const groups = new Map<string, Connection[]>();
    for (const connection of this.items.values()) {
      const group = groups.get(connection.provider_id);
      if (group) group.push(connection);
      else groups.set(connection.provider_id, [connection]);
    }
    for (const group of groups.values()) group.sort((a, b) => urgency(a) - urgency(b) || byId(a, b));
    return groups;
  });

  readonly byName = $derived([...this.items.values()].sort((a, b) => byText(a.name, b.name)));

  readonly #client: Client;
  readonly #seen: (connection: Connection) => void;
  readonly #ends: (connection: Connection) => void;
  /** The ids of those whose end was said, with the time that was said. */
  readonly #said = new Map<string, string>();

  /** `seen` is called for every connection that is shown, and `ends` once for each whose sign-in ends soon. */
  constructor(client: Client, seen: (connection: Connection) => void, ends: (connection: Connection) => void) {
    super();
    this.#client = client;
    this.#seen = seen;
    this.#ends = ends;
  }

  of(provider: string): Connection[] {
    return this.byProvider.get(provider) ?? [];
  }

  /** Of a provider that needs no browser: fetches and keeps a token. @throws Failure */
  async connect(provider: string, label: string | undefined): Promise<void> {
    const body = label === undefined ? {} : { label };
    await this.#client.call('post', '/v1/oauth-providers/{id}/connect', { path: { id: provider }, body });
    await this.load();
  }

  /** @throws Failure */
  async refresh(id: string): Promise<Connection> {
    const fresh = await this.#client.call('post', '/v1/connections/{id}/refresh', { path: { id } });
    this.put(fresh);
    return fresh;
  }

  /** @throws Failure */
  async pause(id: string, paused: boolean): Promise<void> {
    this.put(await this.#client.call('patch', '/v1/connections/{id}', { path: { id }, body: { paused } }));
  }

  /** An empty label takes it away. @throws Failure */
  async relabel(id: string, label: string): Promise<void> {
    this.put(await this.#client.call('patch', '/v1/connections/{id}', { path: { id }, body: { label } }));
  }

  /** Its tokens are for this address from now on. @throws Failure */
  async bind(id: string, address: string): Promise<void> {
    const { bindings } = await this.#client.call('get', '/v1/connections/{id}', { path: { id } });
    const body = { bindings: [...(bindings ?? []), address] };
    this.put(await this.#client.call('patch', '/v1/connections/{id}', { path: { id }, body }));
  }

  /** Says whether the provider revoked the tokens. @throws Failure */
  async disconnect(id: string): Promise<Revoked> {
    const { revoked } = await this.#client.call('delete', '/v1/connections/{id}', { path: { id } });
    await this.reload(id);
    return revoked;
  }

  protected override show(id: string, item: Connection | undefined, ticket: number): void {
    super.show(id, item, ticket);
    const shown = this.get(id);
    if (shown) this.#seen(shown);
    const end = shown?.status === 'expiring' ? shown.sign_in_again_before : undefined;
    if (!shown || !end || this.#said.get(id) === end) return;
    this.#said.set(id, end);
    this.#ends(shown);
  }

  protected fetchAll(): Promise<Connection[]> {
    return this.#client.call('get', '/v1/connections');
  }

  protected fetchOne(id: string): Promise<Connection> {
    return this.#client.call('get', '/v1/connections/{id}', { path: { id } });
  }
}
