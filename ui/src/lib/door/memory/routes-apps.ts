/** What the memory engine answers about apps, grants, credentials and settings. */
import type { CreateCredential, CreateGrant, Credential, ScopeWords, UpdateCredential } from '../../types';
import { nextId, Refusal, type MemoryEngine } from './engine';
import { aCredential, aGrant } from './samples';

type Body = Record<string, unknown> | null;
type Handler = (engine: MemoryEngine, id: string, body: Body) => unknown;

const SUCCESS = { success: true };

const words = (scope: string, description: string, concerns_connections = false): ScopeWords => ({
  scope,
  description,
  concerns_connections,
  concerns_credentials: scope.startsWith('credentials:'),
});

const SCOPES = [
  words('providers:read', 'See your providers and their settings, without their secrets'),
  words('auth:write', 'Start sign-ins, and refresh and disconnect the connections you choose', true),
  words('connections:read', 'See the connections you choose, without their tokens', true),
  words('tokens:read', 'Get access tokens of the connections you choose, and act with them in your name', true),
  words('credentials:read', 'Read the values of the credentials you choose'),
  words('activity:read', 'Read the activity log'),
];

export const handlers: Record<string, Handler> = {
  'GET /oauth/scopes': () => ({ scopes: SCOPES }),
  'GET /v1/apps': (engine) => [...engine.apps.values()].sort((a, b) => a.name.localeCompare(b.name)),
  'POST /v1/apps': () => {
    throw new Refusal('permission_denied', 'the window is never handed a token');
  },
  'DELETE /v1/apps/{id}': (engine, id) => {
    const { name } = engine.app(id);
    engine.removeApp(id);
    engine.log({ kind: 'app_removed', detail: name });
    return SUCCESS;
  },
  'GET /v1/grants': (engine) => [...engine.apps.values()].flatMap(({ grants }) => grants),
  'POST /v1/grants': (engine, _, body) => give(engine, body as unknown as CreateGrant),
  'DELETE /v1/grants/{id}': take,

  'GET /v1/credentials': (engine) => [...engine.credentials.values()],
  'POST /v1/credentials': (engine, _, body) => add(engine, body as unknown as CreateCredential),
  'GET /v1/credentials/{id}': (engine, id) => engine.credential(id),
  'PUT /v1/credentials/{id}': (engine, id, body) => change(engine, id, body as UpdateCredential),
  'DELETE /v1/credentials/{id}': (engine, id) => {
    engine.credential(id);
    engine.removeCredential(id);
    return SUCCESS;
  },

  'GET /v1/settings': (engine) => engine.settings,
  'PUT /v1/settings': (engine, _, body) => {
    if (typeof body?.['loopback'] === 'boolean') {
      const port = body['loopback'] ? 49200 : null;
      engine.settings = { ...engine.settings, loopback: body['loopback'], loopback_port: port };
      engine.log({ kind: 'settings_changed' });
    }
    if (typeof body?.['ask_passphrase'] === 'boolean') {
      engine.settings = { ...engine.settings, ask_passphrase: body['ask_passphrase'] };
      engine.log({ kind: 'settings_changed' });
    }
    return engine.settings;
  },
};

function give(engine: MemoryEngine, body: CreateGrant): unknown {
  const app = engine.app(body.app);
  const { scopes, connections = [], credentials = [], token_scopes = null, expires_at = null } = body;
  const grant = aGrant(app, { id: nextId(), scopes, connections, credentials, token_scopes, expires_at });
  engine.putApp({ ...app, grants: [...app.grants, grant] });
  engine.log({ kind: 'grant_given', app_id: app.id });
  return grant;
}

function take(engine: MemoryEngine, id: string): unknown {
  const app = [...engine.apps.values()].find(({ grants }) => grants.some((grant) => grant.id === id));
  if (!app) throw new Refusal('not_found', `there is no grant ${id}; it was taken away`);
  engine.putApp({ ...app, grants: app.grants.filter((grant) => grant.id !== id) });
  engine.log({ kind: 'grant_removed', app_id: app.id });
  return SUCCESS;
}

function add(engine: MemoryEngine, body: CreateCredential): Credential {
  nameIsFree(engine, body.name);
  const { name, type = 'default', data, redact_fields = [], expires_at = null } = body;
  const rest = { fields: Object.keys(data).sort(), redact_fields, expires_at };
  return engine.putCredential(aCredential({ id: nextId(), name, type, ...rest }));
}

function change(engine: MemoryEngine, id: string, body: UpdateCredential): Credential {
  const before = engine.credential(id);
  if (body.name != null && body.name !== before.name) nameIsFree(engine, body.name);
  const fields = body.data ? Object.keys(body.data).sort() : before.fields;
  const { name, redact_fields, expires_at } = body;
  return engine.putCredential({
    ...before,
    name: name ?? before.name,
    fields,
    redact_fields: redact_fields ?? before.redact_fields,
    expires_at: expires_at === undefined ? (before.expires_at ?? null) : expires_at,
  });
}

function nameIsFree(engine: MemoryEngine, name: string): void {
  if ([...engine.credentials.values()].every((credential) => credential.name !== name)) return;
  const wrong = 'is taken by another credential; choose another name';
  throw new Refusal('conflict', `name ${wrong}`, { fields: { name: wrong } });
}
