/** Providers: add, change, remove, and begin a sign-in. */
import type { CreateProvider, Provider, UpdateProvider } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import { nextId, type MemoryEngine } from '../engine';
import { aConnection, aDeviceCode, aProvider } from '../samples';
import { preset as presetNamed, preview } from './catalog';
import { on, SUCCESS } from './on';

const HOUR = 3_600_000;

export const providers = [
  on('get', '/v1/oauth-providers', (engine) => [...engine.providers.values()]),
  on('post', '/v1/oauth-providers', (engine, { body }) => add(engine, body)),
  on('get', '/v1/oauth-providers/{id}', (engine, { path }) => engine.provider(path.id)),
  on('put', '/v1/oauth-providers/{id}', (engine, { path, body }) => change(engine, path.id, body)),
  on('get', '/v1/oauth-providers/{id}/jwks', (engine, { path }) => ({
    keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: engine.provider(path.id).id, alg: 'ES256', use: 'sig' }],
  })),
  on('delete', '/v1/oauth-providers/{id}', (engine, { path, query }) => {
    remove(engine, path.id, query?.disconnect === true);
    return SUCCESS;
  }),
  on('post', '/v1/oauth-providers/{id}/check', (engine, { path }) => {
    engine.provider(path.id);
    return engine.checked;
  }),
  on('post', '/v1/oauth-providers/{id}/authorize', (engine, { path, body }) => {
    const provider = engine.provider(path.id);
    const flow = engine.start(provider, body?.label ?? undefined, body?.connection ?? undefined);
    return {
      authorization_url: flow.authorization_url ?? '',
      browser_url: flow.browser_url ?? '',
      flow_id: flow.id,
      connection_id: flow.connection_id,
      expires_at: flow.expires_at,
      state: 'state',
      redirect: provider.redirect,
      redirect_uri: provider.redirect_uris[0] ?? '',
    };
  }),
  on('post', '/v1/oauth-providers/{id}/device', (engine, { path, body }) => {
    const provider = engine.provider(path.id);
    const device = aDeviceCode(provider);
    const flow = engine.start(provider, body?.label ?? undefined, body?.connection ?? undefined, device);
    return { ...device, flow_id: flow.id, connection_id: flow.connection_id, expires_at: flow.expires_at };
  }),
  on('post', '/v1/oauth-providers/{id}/connect', (engine, { path, body }) => {
    const connection = aConnection(engine.provider(path.id), { id: nextId(), label: body?.label ?? null });
    engine.putConnection({ ...connection, expires_at: new Date(Date.now() + HOUR).toISOString() });
    return SUCCESS;
  }),
];

function add(engine: MemoryEngine, { client_secret, project, preset, ...own }: CreateProvider): Provider {
  const base = preset ? preview(presetNamed(preset.name), own.name, preset.variables ?? {}).settings : {};
  const given = { ...base, ...own };
  if ([...engine.providers.values()].some(({ name }) => name === given.name)) {
    const problem = `another provider is already called ${given.name}`;
    throw new ApiError('conflict', problem, { fields: { name: problem } });
  }
  const has_client_secret = client_secret != null && client_secret !== '';
  const fresh = aProvider({ id: nextId(), name: given.name, has_client_secret });
  return engine.putProvider({ ...merged(fresh, given), project: project ?? fresh.project });
}

function change(engine: MemoryEngine, id: string, { client_secret, ...given }: UpdateProvider): Provider {
  const before = engine.provider(id);
  const has_client_secret = client_secret === undefined ? before.has_client_secret : Boolean(client_secret);
  return engine.putProvider({ ...merged(before, given), has_client_secret });
}

function remove(engine: MemoryEngine, id: string, disconnect: boolean): void {
  const connections = [...engine.connections.values()].filter((connection) => connection.provider_id === id);
  if (connections.length > 0 && !disconnect) {
    const { name } = engine.provider(id);
    throw new ApiError('conflict', `${name} still has ${connections.length} connection(s); disconnect them first`);
  }
  for (const connection of connections) engine.removeConnection(connection.id);
  engine.removeProvider(id);
}

/** A merge patch (RFC 7396): `null` sets a setting back to its default, and removes a member of a map. */
function merged(before: Provider, patch: Omit<UpdateProvider, 'client_secret'>): Provider {
  const defaults = aProvider({ id: before.id, name: patch.name ?? before.name });
  const entries = Object.entries(patch).map(([key, value]) => [
    key,
    value === null ? defaults[key as keyof Provider] : mergedValue(before[key as keyof Provider], value),
  ]);
  return { ...before, ...Object.fromEntries(entries) } as Provider;
}

function mergedValue(before: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const members = Object.entries({ ...(isMap(before) ? before : {}), ...patch });
  return Object.fromEntries(members.filter(([, value]) => value !== null));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
