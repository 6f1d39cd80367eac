import { SvelteMap } from 'svelte/reactivity';
import type { Client } from '../transport/client';
import { Failure } from '../transport/failure';
import { byId } from '../text/order';
import type { Connection, Flow } from '../types';

/** How a sign-in is to be started. */
export interface Start {
  label?: string;
  /** Renew this one instead of making a new connection. */
  connection?: string;
  /** Whether the user signs in on another device, by a code. */
  device?: boolean;
}

/** A sign-in that ended without a connection. */
export interface Ended {
  flow: Flow;
  /** What it would have renewed. */
  start: Start;
}

/** The sign-ins that are open, and how the last one at each provider ended. */
export class Flows {
  /** By flow id. */
  readonly open = new SvelteMap<string, Flow>();
  /** By provider id: the last one that failed or expired, until it is dismissed. */
  readonly ended = new SvelteMap<string, Ended>();

  readonly #client: Client;
  readonly #connected: (connection: string) => void;
  /** From flow id to the provider and the start options. */
  readonly #known = new Map<string, { provider: string; start: Start }>();

  /** Flows whose end was announced. */
  readonly #announced = new Set<string>();
  /** Those that are being started, by provider and start options. */
  readonly #starting = new Map<string, Promise<string>>();

  /** The sign-in whose panel should get the focus; the panel takes it and sets this back. */
  wanted = $state<string>();

  /** `connected` is called with the connection of every sign-in that succeeds while this window watches it. */
  constructor(client: Client, connected: (connection: string) => void) {
    this.#client = client;
    this.#connected = connected;
  }

  /** The sign-ins that are open, the oldest first, with what each was started for. */
  get list(): { flow: Flow; provider: string; start: Start }[] {
    const known = (flow: Flow) => ({ flow, ...(this.#known.get(flow.id) ?? { provider: '', start: {} }) });
    return [...this.open.values()].sort(byId).map(known);
  }

  /** The open sign-in of this connection. */
  of(connection: string): Flow | undefined {
    return [...this.open.values()].find((flow) => flow.connection_id === connection);
  }

  /**
   * Begins a sign-in, and texts whether it is a new one: when the same is open already, its panel is shown instead.
   * The browser is not opened yet.
   *
   * @throws Failure
   */
  async start(provider: string, start: Start = {}): Promise<{ id: string; isNew: boolean }> {
    const key = JSON.stringify([provider, start.connection ?? null, start.label ?? null, start.device ?? false]);
    const open = this.#same(provider, start);
    const started = this.#starting.get(key);
    if (open !== undefined || started) {
      const id = open ?? (await (started as Promise<string>));
      this.wanted = id;
      return { id, isNew: false };
    }
    const starting = this.#start(provider, start);
    this.#starting.set(key, starting);
    try {
      const id = await starting;
      this.wanted = id;
      return { id, isNew: true };
    } finally {
      this.#starting.delete(key);
    }
  }

  async #start(provider: string, start: Start): Promise<string> {
    this.ended.delete(provider);
    const { device, ...body } = start;
    const way = device ? '/v1/oauth-providers/{id}/device' : '/v1/oauth-providers/{id}/authorize';
    const { flow_id: id } = await this.#client.call('post', way, { path: { id: provider }, body });
    this.#known.set(id, { provider, start });
    await this.#look(id);
    return id;
  }

  /** The open sign-in for the same thing. */
  #same(provider: string, start: Start): string | undefined {
    if (start.connection !== undefined) return this.of(start.connection)?.id;
    const isSame = (open: Start) =>
      open.connection === undefined && open.label === start.label && !open.device === !start.device;
    const same = this.list.find((open) => open.provider === provider && isSame(open.start));
    return same?.flow.id;
  }

  /** Watches the open sign-in of a connection, also one that a program started. */
  follow(connection: Connection): void {
    const { flow_id: flow, provider_id: provider } = connection;
    if (!flow || this.#known.has(flow)) return;
    // A connection that waits for its first sign-in is `pending`; any other one is renewed.
    const renews = connection.status === 'pending' ? {} : { connection: connection.id };
    this.#known.set(flow, { provider, start: connection.label ? { ...renews, label: connection.label } : renews });
    void this.#look(flow).catch(() => undefined);
  }

  /** A flow changed. Those that are not known here are of no interest. */
  async changed(id: string): Promise<void> {
    if (this.#known.has(id)) await this.#look(id);
  }

  /** Looks again at those that are open. */
  async again(): Promise<void> {
    await Promise.all([...this.open.keys()].map((id) => this.#look(id)));
  }

  /** Opens the browser at the provider. @throws Failure */
  async openBrowser(id: string): Promise<void> {
    await this.#client.call('post', '/v1/flows/{id}/open', { path: { id } });
  }

  /** @throws Failure */
  async cancel(id: string): Promise<void> {
    await this.#client.call('delete', '/v1/flows/{id}', { path: { id } });
    await this.#look(id);
  }

  /** Takes the address where the browser ended. @throws Failure */
  async paste(url: string): Promise<void> {
    await this.#client.call('post', '/v1/callback', { body: { url } });
  }

  /** Removes the message of an ended sign-in. */
  dismiss(provider: string): void {
    this.ended.delete(provider);
  }

  clear(): void {
    this.wanted = undefined;
    this.open.clear();
    this.ended.clear();
    this.#known.clear();
    this.#announced.clear();
  }

  async #look(id: string): Promise<void> {
    const flow = await this.#get(id);
    const known = this.#known.get(id);
    // An answer that comes late must not open again, nor tell twice, what has ended.
    if (!known || this.#announced.has(id)) return;
    if (flow?.status === 'waiting') {
      // Of one that another program started it is known only now.
      if (flow.device) known.start = { ...known.start, device: true };
      this.open.set(id, flow);
      return;
    }
    this.open.delete(id);
    if (!flow) return;
    this.#announced.add(id);
    if (flow.status === 'connected') this.#connected(flow.connection_id);
    else if (flow.status !== 'cancelled') this.ended.set(known.provider, { flow, start: known.start });
  }

  async #get(id: string): Promise<Flow | undefined> {
    try {
      return await this.#client.call('get', '/v1/flows/{id}', { path: { id } });
    } catch (cause) {
      if (Failure.from(cause).code === 'not_found') return undefined;
      throw cause;
    }
  }
}
