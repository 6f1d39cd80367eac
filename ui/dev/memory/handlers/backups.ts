/** Backups. Nothing is written: a job is done at once, unless the engine holds it. */
import type { DailyBackup, Job, UpdateDailyBackup } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import { type MemoryEngine, nextId } from '../engine';
import { on } from './on';

export const backups = [
  on('post', '/v1/backups', (engine, { body }) =>
    begin(engine, {
      kind: 'backup',
      backup: {
        file: body.file,
        bytes: 4096,
        made_at: new Date().toISOString(),
        counts: counts(engine),
        with_refresh_tokens: body.with_refresh_tokens ?? false,
      },
    }),
  ),
  on('get', '/v1/backups/daily', (engine) => engine.daily),
  on('put', '/v1/backups/daily', (engine, { body }) => changeDaily(engine, body)),
  on('post', '/v1/restores', (engine, { body }) =>
    begin(engine, {
      kind: 'read_backup',
      preview: {
        id: nextId(),
        file: body.file,
        made_at: new Date().toISOString(),
        is_of_this_vault: false,
        with_refresh_tokens: false,
        counts: counts(engine),
        expires_at: new Date(Date.now() + 600_000).toISOString(),
        items: engine.items,
      },
    }),
  ),
  on('post', '/v1/restores/{id}/apply', (engine, { body }) => {
    const replaced = body.replace?.length ?? 0;
    const added = engine.items.filter(({ state }) => state === 'new').length;
    engine.log({ kind: 'restored' });
    return begin(engine, {
      kind: 'restore',
      restored: { added, replaced, same: 0, left: 0, needs_sign_in: [] },
    });
  }),
  on('get', '/v1/jobs/{id}', (engine, { path }) => job(engine, path.id)),
  on('delete', '/v1/jobs/{id}', (engine, { path }) => {
    const before = job(engine, path.id);
    const after: Job = before.state === 'running' ? { ...before, state: 'cancelled' } : before;
    engine.jobs.set(path.id, after);
    return after;
  }),
];

function begin(engine: MemoryEngine, given: Partial<Job> & Pick<Job, 'kind'>): Job {
  const id = nextId();
  const held: Job = { id, kind: given.kind, state: 'running', done: 1, total: 4 };
  const begun: Job = engine.holdsJobs ? held : { ...held, ...given, state: 'done', done: 4 };
  engine.jobs.set(id, begun);
  return begun;
}

function job(engine: MemoryEngine, id: string): Job {
  const found = engine.jobs.get(id);
  if (!found) throw new ApiError('not_found', `job "${id}" not found`);
  return found;
}

function counts(engine: MemoryEngine) {
  return {
    providers: engine.providers.size,
    connections: engine.connections.size,
    credentials: engine.credentials.size,
    settings: 1,
  };
}

function changeDaily(engine: MemoryEngine, change: UpdateDailyBackup): DailyBackup {
  const before = engine.daily;
  engine.daily = {
    ...before,
    enabled: change.enabled ?? before.enabled,
    folder: change.folder ?? before.folder ?? null,
    recipients: change.passphrase != null ? [] : (change.recipients ?? before.recipients),
    has_passphrase: change.passphrase != null || (change.recipients == null && before.has_passphrase),
    with_refresh_tokens: change.with_refresh_tokens ?? before.with_refresh_tokens,
  };
  return engine.daily;
}
