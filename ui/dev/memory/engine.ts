/** The state of the in-memory engine, and the changes it announces. */
import type {
  DeviceCode,
  App,
  AutoLockSources,
  Change,
  CheckReport,
  Connection,
  Credential,
  DailyBackup,
  EngineStatus,
  Event,
  Flow,
  Job,
  Provider,
  RestoreItem,
  Revoked,
  ServingConnection,
  Settings,
  UnlockRequested,
  Vault,
  VaultCheck,
} from '../../src/lib/types';
import { ApiError } from './api-error';
import { anEvent, aConnection } from './samples';

let last = 0;

/** Ids grow with time, as the engine's do. */
export function nextId(): string {
  last += 1;
  return `01930000-0000-7000-8000-${String(last).padStart(12, '0')}`;
}

export class MemoryEngine {
  vault: Vault = { state: 'unlocked', slots: ['keyring'], read_only: false };
  /** What opens the vault; without one, the keyring does. */
  passphrase: string | undefined;
  recoveryCode: string | undefined;
  revoked: Revoked = 'yes';
  readonly providers = new Map<string, Provider>();
  /** From an address to the connections that serve it. */
  readonly serving = new Map<string, ServingConnection[]>();
  readonly connections = new Map<string, Connection>();
  readonly flows = new Map<string, Flow>();
  readonly events: Event[] = [];
  readonly apps = new Map<string, App>();
  readonly credentials = new Map<string, Credential>();
  settings: Settings = {
    loopback: false,
    loopback_port: null,
    ask_passphrase: false,
    auto_lock: { idle_minutes: null, screen_lock: false, suspend: false, user_switch: false },
    tokens_while_locked: false,
    oidc_agent: false,
  };
  sources: AutoLockSources = {
    idle: null,
    screen_lock: ['org.gnome.ScreenSaver'],
    suspend: 'org.freedesktop.login1',
    user_switch: null,
  };
  unlockRequests: UnlockRequested[] = [];
  readonly jobs = new Map<string, Job>();
  /** What a backup that is read holds beside what is here. */
  items: RestoreItem[] = [];
  /** Jobs go on until they are cancelled. */
  holdsJobs = false;
  daily: DailyBackup = { enabled: false, recipients: [], has_passphrase: false, with_refresh_tokens: false };
  /** What the check of the vault finds, and how many lines of the log are damaged. */
  damaged: VaultCheck['problems'] = [];
  damagedLines = 0;
  /** What the check of a provider finds. */
  checked: CheckReport = {
    result: 'ok',
    checks: [{ name: 'token_endpoint', result: 'ok', text: 'sandbox.example answers.' }],
  };

  readonly #tell: (change: Change) => void;

  constructor(tell: (change: Change) => void) {
    this.#tell = tell;
  }

  status(): EngineStatus {
    const counts: Record<string, number> = {};
    for (const { status } of this.connections.values()) counts[status] = (counts[status] ?? 0) + 1;
    return {
      version: '0.1.0',
      pid: 4242,
      window: true,
      vault: this.vault,
      providers: this.providers.size,
      connections: counts,
    };
  }

  /** @throws ApiError while locked */
  mustBeOpen(): void {
    if (this.vault.state !== 'unlocked') {
      throw new ApiError('vault_locked', 'the vault is locked; unlock it with `tokenry unlock` or in the window');
    }
  }

  provider(id: string): Provider {
    return found(this.providers.get(id), 'provider', id);
  }

  connection(id: string): Connection {
    return found(this.connections.get(id), 'connection', id);
  }

  flow(id: string): Flow {
    return found(this.flows.get(id), 'sign-in', id);
  }

  app(id: string): App {
    return found(this.apps.get(id), 'app', id);
  }

  credential(id: string): Credential {
    return found(this.credentials.get(id), 'credential', id);
  }

  putApp(app: App): App {
    this.apps.set(app.id, app);
    this.#tell({ type: 'apps.changed' });
    return app;
  }

  removeApp(id: string): void {
    this.apps.delete(id);
    this.#tell({ type: 'apps.changed' });
  }

  putCredential(credential: Credential): Credential {
    this.credentials.set(credential.id, credential);
    this.#tell({ type: 'credential.changed', id: credential.id });
    return credential;
  }

  removeCredential(id: string): void {
    this.credentials.delete(id);
    this.#tell({ type: 'credential.changed', id });
  }

  putProvider(provider: Provider): Provider {
    const isNew = !this.providers.has(provider.id);
    this.providers.set(provider.id, provider);
    this.#tell({ type: 'provider.changed', id: provider.id });
    this.log({ kind: isNew ? 'provider_added' : 'provider_changed', provider_id: provider.id });
    return provider;
  }

  putConnection(connection: Connection): Connection {
    this.connections.set(connection.id, connection);
    this.#tell({ type: 'credential.changed', id: connection.id });
    return connection;
  }

  removeConnection(id: string): void {
    this.connections.delete(id);
    this.#tell({ type: 'credential.changed', id });
  }

  removeProvider(id: string): void {
    this.providers.delete(id);
    this.#tell({ type: 'provider.changed', id });
    this.log({ kind: 'provider_removed' });
  }

  /** A sign-in begins: a new connection, or one that is renewed, waits for the browser. */
  start(provider: Provider, label: string | undefined, renews: string | undefined, device?: DeviceCode): Flow {
    const before = renews === undefined ? undefined : this.connection(renews);
    const connection = before ?? aConnection(provider, { id: nextId(), label: label ?? null });
    const flow: Flow = {
      id: nextId(),
      connection_id: connection.id,
      status: 'waiting',
      ...(device
        ? { device }
        : {
            authorization_url: 'https://as.example/authorize?state=state',
            browser_url: 'http://127.0.0.1:28101/begin/once',
            redirect_uri: provider.redirect_uris[0] ?? null,
          }),
      expires_at: new Date(Date.now() + 600_000).toISOString(),
    };
    this.flows.set(flow.id, flow);
    // One that is renewed stays what it is meanwhile.
    this.putConnection({ ...connection, status: before?.status ?? 'pending', flow_id: flow.id });
    this.log({ kind: 'flow_started', provider_id: provider.id, connection_id: connection.id });
    return flow;
  }

  /** A sign-in ends. What is given is how; with `connected` the connection becomes what is given, too. */
  end(id: string, flow: Partial<Flow>, connection: Partial<Connection> = {}): void {
    const ended = {
      ...this.flow(id),
      ...flow,
      authorization_url: null,
      browser_url: null,
      redirect_uri: null,
      device: null,
    };
    this.flows.set(id, ended);
    const before = this.connections.get(ended.connection_id);
    if (before && ended.status === 'connected') {
      this.putConnection({ ...before, flow_id: null, reason: null, status: 'active', ...connection });
      this.log({ kind: 'connected', provider_id: before.provider_id, connection_id: before.id });
    } else if (before && before.status !== 'pending') {
      this.putConnection({ ...before, flow_id: null });
    } else this.removeConnection(ended.connection_id);
    this.#tell({ type: 'flow.changed', id });
  }

  /** A change that comes from nothing done here. */
  say(change: Change): void {
    this.#tell(change);
  }

  setVault(vault: Vault): void {
    this.vault = vault;
    this.#tell({ type: 'engine.changed' });
  }

  /** Requests wait until the vault is unlocked. */
  setUnlockRequests(requests: UnlockRequested[]): void {
    this.unlockRequests = requests;
    this.setVault({ ...this.vault, unlock_requests: requests.length });
  }

  log(event: Partial<Event> & Pick<Event, 'kind'>): void {
    const full = anEvent({ id: nextId(), ...event });
    this.events.unshift(full);
    this.#tell({ type: 'activity', event: full });
  }
}

function found<T>(item: T | undefined, what: string, id: string): T {
  if (item) return item;
  throw new ApiError('not_found', `${what} "${id}" not found`);
}
