/** Apps, their grants, and the scopes of the API. */
import type { CreateGrant, Grant, ScopeWords } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import { nextId, type MemoryEngine } from '../engine';
import { aGrant } from '../samples';
import { on, SUCCESS } from './on';

const scope = (scope: string, description: string, concerns_connections = false): ScopeWords => ({
  scope,
  description,
  concerns_connections,
  concerns_credentials: scope.startsWith('credentials:'),
});

const SCOPES = [
  scope('providers:read', 'See your providers and their settings, without their secrets'),
  scope('auth:write', 'Start sign-ins, and refresh and disconnect the connections you choose', true),
  scope('connections:read', 'See the connections you choose, without their tokens', true),
  scope('tokens:read', 'Get access tokens of the connections you choose, and act with them in your name', true),
  scope('credentials:read', 'Read the values of the credentials you choose'),
  scope('activity:read', 'Read the activity log'),
];

export const apps = [
  on('get', '/oauth/scopes', () => ({ scopes: SCOPES })),
  on('get', '/v1/apps', (engine) => [...engine.apps.values()].sort((a, b) => a.name.localeCompare(b.name))),
  on('post', '/v1/apps', () => {
    throw new ApiError('permission_denied', 'the window never receives a token');
  }),
  on('delete', '/v1/apps/{id}', (engine, { path }) => {
    const { name } = engine.app(path.id);
    engine.removeApp(path.id);
    engine.log({ kind: 'app_removed', detail: name });
    return SUCCESS;
  }),
  on('get', '/v1/grants', (engine) => [...engine.apps.values()].flatMap(({ grants }) => grants)),
  on('post', '/v1/grants', (engine, { body }) => grant(engine, body)),
  on('delete', '/v1/grants/{id}', (engine, { path }) => {
    revoke(engine, path.id);
    return SUCCESS;
  }),
];

function grant(engine: MemoryEngine, body: CreateGrant): Grant {
  const app = engine.app(body.app);
  const { scopes, connections = [], credentials = [], token_scopes = null, expires_at = null } = body;
  const { while_locked = false } = body;
  const given = aGrant(app, { id: nextId(), scopes, connections, credentials, token_scopes, while_locked, expires_at });
  engine.putApp({ ...app, grants: [...app.grants, given] });
  engine.log({ kind: 'grant_given', app_id: app.id });
  return given;
}

function revoke(engine: MemoryEngine, id: string): void {
  const app = [...engine.apps.values()].find(({ grants }) => grants.some((given) => given.id === id));
  if (!app) throw new ApiError('not_found', `grant ${id} not found`);
  engine.putApp({ ...app, grants: app.grants.filter((given) => given.id !== id) });
  engine.log({ kind: 'grant_removed', app_id: app.id });
}
