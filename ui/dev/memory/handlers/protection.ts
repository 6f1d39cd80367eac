/** Cutting off, the audit, and the checks of the log and of the vault. */
import type { AuditEntry, RevokeAnswer, RevokedConnection } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import type { MemoryEngine } from '../engine';
import { on } from './on';

export const protection = [
  on('post', '/v1/revoke', (engine, { body }): RevokeAnswer => {
    if ([body.app != null, body.connection != null, body.all === true].filter(Boolean).length !== 1) {
      throw new ApiError('validation_error', 'app, connection or all must be given');
    }
    const apps = [...engine.apps.values()].filter(({ id }) => body.all === true || id === body.app);
    const grants = apps.reduce((sum, { grants }) => sum + grants.length, 0);
    for (const app of apps) engine.putApp({ ...app, grants: [] });
    const cut = [...engine.connections.values()].filter(({ id }) => body.all === true || id === body.connection);
    const connections = cut.map((connection): RevokedConnection => {
      engine.putConnection({ ...connection, status: 'needs_reauth', reason: 'cut_off' });
      const { id, name, expires_at = null } = connection;
      return { id, name, revoked: engine.revoked, tokens_expire_at: expires_at };
    });
    engine.log({ kind: 'cut_off', app_id: body.app ?? null });
    return { grants, app_tokens: 0, sessions: 0, prompts: 0, sign_ins: 0, connections, still_valid: audit(engine) };
  }),
  on('get', '/v1/audit', (engine, { query = {} }) => {
    const matches = (entry: AuditEntry) =>
      (query.app == null || entry.app_id === query.app) &&
      (query.connection == null || entry.connection_id === query.connection) &&
      (query.program == null || entry.program === query.program);
    return { entries: audit(engine).filter(matches), from: null, left_out: 0, damaged_lines: engine.damagedLines };
  }),
  on('get', '/v1/events/verify', (engine) => {
    const [lines, whole] = [engine.events.length, engine.damagedLines === 0];
    const problems = whole ? [] : [{ first_line: 2, last_line: 2, kind: 'damaged' as const }];
    return { whole, lines, first_line: 1, last_line: lines, first_at: null, last_at: null, problems, more_problems: 0 };
  }),
  on('post', '/v1/vault/check', (engine) => {
    const problems = engine.damaged;
    const wrong = new Set(problems.map(({ part }) => part));
    const parts = ['files', 'database', 'tokens', 'manifest'].map((part) => {
      const whole = !wrong.has(part);
      return { part, whole, text: whole ? 'all opened' : 'not as it should be' };
    });
    return { whole: problems.length === 0, parts, problems, more_problems: 0 };
  }),
  on('post', '/v1/vault/salvage', () => {
    throw new ApiError('permission_denied', 'the window does not copy the vault');
  }),
];

/** One entry for each hand-out of the log. */
function audit(engine: MemoryEngine): AuditEntry[] {
  const handedOut = engine.events.filter(({ kind }) => kind === 'token_handed_out');
  return handedOut.map((event) => ({
    caller: event.caller,
    program: event.program ?? null,
    app_id: event.app_id ?? null,
    app: event.app_id ? (engine.apps.get(event.app_id)?.name ?? null) : null,
    provider_id: event.provider_id ?? null,
    connection_id: event.connection_id ?? null,
    connection: event.connection_id ? (engine.connections.get(event.connection_id)?.name ?? null) : null,
    credential_id: null,
    credential: null,
    handed_out: event.outcome === 'done' ? (event.count ?? 1) : 0,
    refused: event.outcome === 'refused' ? (event.count ?? 1) : 0,
    failed: event.outcome === 'failed' ? (event.count ?? 1) : 0,
    first: event.first_at ?? event.at,
    last: event.at,
    scopes: event.token_scope?.split(' ') ?? [],
    rules: event.rule ? [{ rule: event.rule, grant_id: null, count: event.count ?? 1 }] : [],
    valid_until: event.token_expires_at ?? null,
    unknown_end: 0,
  }));
}
