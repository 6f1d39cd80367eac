/** Connections: read, refresh, change and disconnect. */
import type { PatchConnection, ServingConnection } from '../../../src/lib/types';
import type { MemoryEngine } from '../engine';
import { on } from './on';

const HOUR = 3_600_000;

export const connections = [
  on('get', '/v1/connections', (engine) => [...engine.connections.values()]),
  on('get', '/v1/resolve', (engine, { query }) => serving(engine, query?.url ?? '')),
  on('get', '/v1/connections/{id}', (engine, { path }) => engine.connection(path.id)),
  on('patch', '/v1/connections/{id}', (engine, { path, body }) => change(engine, path.id, body)),
  on('delete', '/v1/connections/{id}', (engine, { path }) => {
    const before = engine.connection(path.id);
    if (engine.revoked === 'pending') engine.putConnection({ ...before, status: 'disconnecting' });
    else engine.removeConnection(path.id);
    engine.log({ kind: 'disconnected', provider_id: before.provider_id });
    return { success: true, revoked: engine.revoked };
  }),
  on('post', '/v1/connections/{id}/refresh', (engine, { path }) => {
    const now = Date.now();
    const times = { expires_at: iso(now + HOUR), last_refreshed_at: iso(now) };
    return engine.putConnection({ ...engine.connection(path.id), ...times, trouble: null });
  }),
];

function change(engine: MemoryEngine, id: string, { label: given, paused, bindings }: PatchConnection) {
  const before = engine.connection(id);
  const label = given === undefined ? (before.label ?? null) : given || null;
  const status = paused === true ? 'paused' : paused === false ? 'active' : before.status;
  const name = label ? `${before.provider_name}/${label}` : before.provider_name;
  return engine.putConnection({ ...before, label, name, status, bindings: bindings ?? before.bindings ?? [] });
}

/** A binding comes before what presets name. */
function serving(engine: MemoryEngine, address: string): ServingConnection[] {
  const bound = [...engine.connections.values()].find(({ bindings }) => bindings?.includes(address));
  if (!bound) return engine.serving.get(address) ?? [];
  const { id, name, provider_name } = bound;
  const named = { connection_id: id, connection_name: name, provider_name };
  return [{ ...named, named_by: 'binding', address, kinds: [], user_names: {} }];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
