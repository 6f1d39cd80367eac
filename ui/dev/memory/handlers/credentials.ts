/** API keys, passwords and other static secrets. */
import type { CreateCredential, Credential, UpdateCredential } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import { nextId, type MemoryEngine } from '../engine';
import { aCredential } from '../samples';
import { on, SUCCESS } from './on';

export const credentials = [
  on('get', '/v1/credentials', (engine) => [...engine.credentials.values()]),
  on('post', '/v1/credentials', (engine, { body }) => add(engine, body)),
  on('get', '/v1/credentials/{id}', (engine, { path }) => engine.credential(path.id)),
  on('put', '/v1/credentials/{id}', (engine, { path, body }) => change(engine, path.id, body)),
  on('delete', '/v1/credentials/{id}', (engine, { path }) => {
    engine.credential(path.id);
    engine.removeCredential(path.id);
    return SUCCESS;
  }),
];

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
  const problem = `another credential is already called ${name}`;
  throw new ApiError('conflict', problem, { fields: { name: problem } });
}
