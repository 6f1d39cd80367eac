import type { Client } from '../transport/client';
import type {
  CheckedEntry,
  CheckedTool,
  SetupChange,
  SetupEntry,
  SetupPlan,
  SetupRequest,
  SetupTool,
} from '../types-setup';
import type { Connections } from './connections.svelte';
import { messages } from '../messages';

const texts = messages.useIn;

export type ToolState = 'not_installed' | 'not_set_up' | 'works' | 'problem';

export function stateOf(tool: SetupTool): ToolState {
  if (tool.entries.some(({ problem }) => problem !== null)) return 'problem';
  if (tool.entries.length > 0) return 'works';
  return tool.installed ? 'not_set_up' : 'not_installed';
}

/** The tools on this machine, and whether they get tokens. */
export class Tools {
  list = $state.raw<CheckedTool[]>([]);
  loaded = $state(false);

  readonly #client: Client;
  readonly #connections: Connections;
  #ticket = 0;

  constructor(client: Client, connections: Connections) {
    this.#client = client;
    this.#connections = connections;
  }

  /** @throws Failure */
  async load(): Promise<void> {
    const ticket = ++this.#ticket;
    const list = await this.#client.transport.setupTools();
    const checked = await Promise.all(list.map((tool) => this.#checked(tool)));
    if (ticket !== this.#ticket) return;
    this.list = checked;
    this.loaded = true;
  }

  /** @throws the error envelope */
  plan(request: SetupRequest): Promise<SetupPlan> {
    return this.#client.transport.planSetup(request);
  }

  /** @throws the error envelope */
  async write(request: SetupRequest, shown: SetupChange[]): Promise<void> {
    await this.#client.transport.writeSetup(request, shown);
  }

  /** The tokens of this connection are for the address of the entry from now on. @throws Failure */
  async bind(entry: SetupEntry, connection: string): Promise<void> {
    if (entry.address) await this.#connections.bind(connection, entry.address.url);
    await this.load();
  }

  async #checked(tool: SetupTool): Promise<CheckedTool> {
    return { ...tool, entries: await Promise.all(tool.entries.map((entry) => this.#served(entry))) };
  }

  /** Says why no connection gives a token for this entry. No token is asked for. */
  async #served(entry: SetupEntry): Promise<CheckedEntry> {
    const { address } = entry;
    const says = (problem: string | null, candidates: string[] = []): CheckedEntry => ({
      ...entry,
      problem: entry.problem ?? problem,
      candidates,
    });
    if (!address) return says(null);
    const query = { url: address.url };
    const all = await this.#client.call('get', '/v1/resolve', { query });
    const found = all.filter(({ named_by, kinds }) => named_by !== 'preset' || kinds?.includes(address.kind));
    const [one, other] = found;
    if (!one) {
      // The bridge of MCP signs in by itself.
      if (address.kind === 'mcp') return says(null);
      const every = this.#connections.byName.map(({ id }) => id);
      return says(texts.noConnection(address.url, every.length > 0), every);
    }
    if (other) {
      const ids = found.map(({ connection_id }) => connection_id);
      return says(texts.severalConnections(address.url), ids);
    }
    const status = this.#connections.get(one.connection_id)?.status;
    if (status === 'needs_reauth' || status === 'pending') return says(texts.signIn(one.connection_name));
    return says(status === 'paused' || status === 'disconnecting' ? texts.inactive(one.connection_name) : null);
  }
}
