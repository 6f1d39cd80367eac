import type { CreateProvider, Event, Provider, UpdateProvider } from '../../types';
import type { Answer } from '../door';
import { nextId, Refusal, type MemoryEngine } from './engine';
import { handlers as others } from './routes-apps';
import { aConnection, aProvider } from './samples';

type Handler = (engine: MemoryEngine, id: string, body: Body, query: URLSearchParams) => unknown;
type Body = Record<string, unknown> | null;

const PROVIDER = '/v1/oauth-providers';
const SUCCESS = { success: true };

const handlers: Record<string, Handler> = {
  'GET /v1/status': (engine) => engine.status(),
  'POST /v1/lock': (engine) => {
    engine.setVault({ ...engine.vault, state: 'locked' });
    return SUCCESS;
  },
  'POST /v1/unlock': unlock,
  'POST /v1/vault/accept-older': (engine) => {
    engine.setVault({ state: 'unlocked', slots: engine.vault.slots, read_only: false });
    return SUCCESS;
  },

  [`GET ${PROVIDER}`]: (engine) => [...engine.providers.values()],
  [`POST ${PROVIDER}`]: (engine, _, body) => addProvider(engine, body as CreateProvider & Body),
  [`GET ${PROVIDER}/{id}`]: (engine, id) => engine.provider(id),
  [`PUT ${PROVIDER}/{id}`]: (engine, id, body) => changeProvider(engine, id, body as UpdateProvider),
  [`DELETE ${PROVIDER}/{id}`]: removeProvider,
  [`POST ${PROVIDER}/{id}/authorize`]: authorize,
  [`POST ${PROVIDER}/{id}/connect`]: connect,

  'GET /v1/connections': (engine) => [...engine.connections.values()],
  'GET /v1/connections/{id}': (engine, id) => engine.connection(id),
  'PATCH /v1/connections/{id}': patchConnection,
  'DELETE /v1/connections/{id}': disconnect,
  'POST /v1/connections/{id}/refresh': (engine, id) => {
    const now = Date.now();
    const times = { expires_at: iso(now + 3_600_000), last_refreshed_at: iso(now) };
    return engine.putConnection({ ...engine.connection(id), ...times, trouble: null });
  },

  'GET /v1/flows/{id}': (engine, id) => engine.flow(id),
  'DELETE /v1/flows/{id}': (engine, id) => {
    engine.end(id, { status: 'cancelled' });
    return SUCCESS;
  },
  'POST /v1/flows/{id}/open': (engine, id) => engine.flow(id) && SUCCESS,
  'POST /v1/callback': (engine, _, body) => callback(engine, String(body?.['url'] ?? '')),
  'GET /v1/events': events,
  ...others,
};

/** Answers as the engine would. @throws Refusal */
export function route(engine: MemoryEngine, method: string, path: string, body: unknown): Answer {
  const [bare = '', query] = path.split('?');
  const found = /^(\/v1\/(?:oauth-providers|connections|flows|apps|grants|credentials))\/([^/]+)(\/\w+)?$/.exec(bare);
  const template = found ? `${found[1]}/{id}${found[3] ?? ''}` : bare;
  const handler = handlers[`${method} ${template}`];
  if (!handler) throw new Refusal('not_found', `there is no operation ${method} ${bare}`);
  if (!/\/v1\/(status|lock|unlock)$/.test(bare)) engine.mustBeOpen();
  const id = decodeURIComponent(found?.[2] ?? '');
  const answer = handler(engine, id, body as Body, new URLSearchParams(query));
  return {
    status: method === 'POST' && (template === PROVIDER || template === '/v1/credentials') ? 201 : 200,
    body: answer,
  };
}

function unlock(engine: MemoryEngine, _: string, body: Body): unknown {
  const given = body?.['passphrase'];
  if (engine.vault.state === 'absent' && body?.['create'] === true && typeof given === 'string') {
    engine.passphrase = given;
    engine.setVault({ state: 'unlocked', slots: ['passphrase'], read_only: false });
    return SUCCESS;
  }
  if (engine.passphrase !== undefined && given !== engine.passphrase) {
    throw new Refusal('vault_locked', 'this passphrase does not open the vault. Try again; nothing was changed');
  }
  if (given === undefined && engine.vault.message) {
    throw new Refusal(engine.vault.code ?? 'oauth_unavailable', engine.vault.message);
  }
  engine.setVault({ state: 'unlocked', slots: engine.vault.slots, read_only: false });
  return SUCCESS;
}

function addProvider(engine: MemoryEngine, body: CreateProvider): Provider {
  if ([...engine.providers.values()].some(({ name }) => name === body.name)) {
    throw new Refusal(
      'conflict',
      `there is already a provider called ${body.name}; choose another name, or edit that one`,
      { fields: { name: 'is taken by another provider; choose another name' } },
    );
  }
  const { client_secret, ...rest } = body;
  const has = client_secret != null && client_secret !== '';
  const method = has ? ('client_secret_post' as const) : ('none' as const);
  const given = { token_endpoint_auth_method: method, ...withoutEmpty(rest) };
  return engine.putProvider(aProvider({ ...given, id: nextId(), name: body.name, has_client_secret: has }));
}

function changeProvider(engine: MemoryEngine, id: string, body: UpdateProvider): Provider {
  const { client_secret, ...rest } = body;
  const before = engine.provider(id);
  const has = client_secret == null ? before.has_client_secret : client_secret !== '';
  return engine.putProvider({ ...before, ...withoutEmpty(rest), has_client_secret: has } as Provider);
}

function removeProvider(engine: MemoryEngine, id: string, _: Body, query: URLSearchParams): unknown {
  const connections = [...engine.connections.values()].filter((connection) => connection.provider_id === id);
  if (connections.length > 0 && query.get('disconnect') !== 'true') {
    const { name } = engine.provider(id);
    throw new Refusal('conflict', `${name} still has ${connections.length} connection(s); disconnect them first`);
  }
  for (const connection of connections) engine.removeConnection(connection.id);
  engine.removeProvider(id);
  return SUCCESS;
}

function authorize(engine: MemoryEngine, id: string, body: Body): unknown {
  const provider = engine.provider(id);
  const flow = engine.start(provider, text(body, 'label'), text(body, 'connection'));
  const { authorization_url, browser_url, connection_id, expires_at } = flow;
  const rest = { state: 'state', redirect: provider.redirect, redirect_uri: provider.redirect_uris[0] };
  return { authorization_url, browser_url, flow_id: flow.id, connection_id, expires_at, ...rest };
}

function connect(engine: MemoryEngine, id: string, body: Body): unknown {
  const connection = aConnection(engine.provider(id), { id: nextId(), label: text(body, 'label') ?? null });
  engine.putConnection({ ...connection, expires_at: iso(Date.now() + 3_600_000) });
  return SUCCESS;
}

function patchConnection(engine: MemoryEngine, id: string, body: Body): unknown {
  const before = engine.connection(id);
  const label = body?.['label'] === undefined ? before.label : text(body, 'label') || null;
  const paused = body?.['paused'];
  const status = paused === true ? 'paused' : paused === false ? 'active' : before.status;
  const name = label ? `${before.provider_name}/${label}` : before.provider_name;
  return engine.putConnection({ ...before, label: label ?? null, name, status });
}

function disconnect(engine: MemoryEngine, id: string): unknown {
  const before = engine.connection(id);
  if (engine.revoked === 'pending') engine.putConnection({ ...before, status: 'disconnecting' });
  else engine.removeConnection(id);
  engine.log({ kind: 'disconnected', provider_id: before.provider_id });
  return { success: true, revoked: engine.revoked };
}

function callback(engine: MemoryEngine, url: string): unknown {
  const flow = [...engine.flows.values()].find(({ status }) => status === 'waiting');
  if (!flow || !url.includes('code=')) {
    throw new Refusal(
      'validation_error',
      'the redirect was refused: it answers no open sign-in; open sign-ins stay open',
      {
        fields: { url: 'answers no open sign-in; open sign-ins stay open' },
      },
    );
  }
  engine.end(flow.id, { status: 'connected' }, { account: { subject: '42', email: 'ada@example.org' } });
  return { success: true, connection_id: flow.connection_id };
}

function events(engine: MemoryEngine, _: string, __: Body, query: URLSearchParams): unknown {
  const from = Number(query.get('before') ?? 0);
  const limit = Number(query.get('limit') ?? 100);
  const next = from + limit < engine.events.length ? from + limit : null;
  const same = (wanted: string | null, is: string | null | undefined) => wanted === null || wanted === is;
  const [app, connection, outcome] = ['app', 'connection', 'outcome'].map((name) => query.get(name));
  // As the engine does: a page is a stretch of time, in which perhaps nothing fits.
  const fits = (event: Event) =>
    same(app ?? null, event.app_id) &&
    same(connection ?? null, event.connection_id) &&
    same(outcome ?? null, event.outcome);
  return { events: engine.events.slice(from, from + limit).filter(fits), next };
}

function withoutEmpty(given: object): object {
  const entries = Object.entries(given).filter(([, value]) => value != null);
  return Object.fromEntries(entries.map(([key, value]) => [key, value === '' ? null : value]));
}

function text(body: Body, key: string): string | undefined {
  const value = body?.[key];
  return typeof value === 'string' ? value : undefined;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
