/**
 * An engine that is none: for unit tests and for `npm run dev`. It keeps everything in memory, answers with the
 * engine's envelopes, and hands out no token.
 */
import type { App, Change, CreateApp, ErrorBody, ErrorCode } from '../../types';
import type { Answer, ClosingAnswer, Door } from '../door';
import { MemoryEngine, nextId, Refusal } from './engine';
import { route } from './routes';
import { anApp } from './samples';

const STATUS: Record<ErrorCode, number> = {
  validation_error: 422,
  unauthorized: 401,
  permission_denied: 403,
  consent_denied: 403,
  interaction_required: 403,
  not_found: 404,
  conflict: 409,
  needs_reauth: 409,
  flow_expired: 410,
  payload_too_large: 413,
  vault_locked: 423,
  rate_limited: 429,
  internal: 500,
  provider_error: 502,
  provider_unreachable: 503,
  oauth_unavailable: 503,
};

export class MemoryDoor implements Door {
  readonly engine = new MemoryEngine((change) => this.#tell(change));
  /** Every request that came, as `METHOD path`, with its body. */
  readonly asked: { line: string; body: unknown }[] = [];
  /** What was put on the clipboard: the kind of thing, and whose it was. */
  readonly copied: string[] = [];

  readonly #listeners = new Set<(change: Change) => void>();
  readonly #refusals: { line: string; error: Partial<ErrorBody> & { code: ErrorCode } }[] = [];

  /** Refuses the next request of this line (`POST /v1/…`, or the beginning of it). */
  refuseNext(line: string, error: Partial<ErrorBody> & { code: ErrorCode }): void {
    this.#refusals.push({ line, error });
  }

  /** The requests that came so far, without the bodies. */
  get lines(): string[] {
    return this.asked.map(({ line }) => line);
  }

  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const line = `${method} ${path}`;
    this.asked.push({ line, body });
    // Over a real door, too, nothing is the same object on both sides.
    await Promise.resolve();
    try {
      this.#refuse(line);
      return structuredClone(route(this.engine, method, path, structuredClone(body ?? null)));
    } catch (cause) {
      if (cause instanceof Refusal) return refused(cause.error);
      throw cause;
    }
  }

  changes(listener: (change: Change) => void): Promise<() => void> {
    this.#listeners.add(listener);
    return Promise.resolve(() => void this.#listeners.delete(listener));
  }

  async copyToken(connection: string): Promise<void> {
    this.#refuse(`COPY token ${connection}`);
    this.engine.connection(connection);
    this.copied.push(`token of ${connection}`);
  }

  async copyCredential(credential: string, field: string): Promise<void> {
    this.#refuse(`COPY ${field} of ${credential}`);
    this.engine.credential(credential);
    this.copied.push(`${field} of ${credential}`);
  }

  async createApp(body: CreateApp): Promise<App> {
    this.asked.push({ line: 'CREATE app', body });
    await Promise.resolve();
    const wrong = 'is taken by another app; choose another name';
    if ([...this.engine.apps.values()].some(({ name }) => name === body.name)) {
      throw {
        error: { code: 'conflict', message: `name ${wrong}`, request_id: '', details: { fields: { name: wrong } } },
      };
    }
    const app = this.engine.putApp(anApp({ id: nextId(), ...structuredClone(body) }));
    if (!app.public) this.copied.push(`token of ${app.name}`);
    return structuredClone(app);
  }

  async copyLink(flow: string): Promise<void> {
    this.engine.flow(flow);
    this.copied.push(`link of ${flow}`);
  }

  /** What the user answered when the window was closed. */
  readonly closings: ClosingAnswer[] = [];

  async closeWindow(answer: ClosingAnswer): Promise<void> {
    this.closings.push(answer);
  }

  async copyText(text: string): Promise<void> {
    this.copied.push(text);
  }

  #refuse(line: string): void {
    const at = this.#refusals.findIndex((refusal) => line.startsWith(refusal.line));
    const [refusal] = at < 0 ? [] : this.#refusals.splice(at, 1);
    if (refusal)
      throw new Refusal(
        refusal.error.code,
        refusal.error.message ?? refusal.error.code,
        refusal.error.details ?? undefined,
      );
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(structuredClone(change));
  }
}

function refused(error: ErrorBody): Answer {
  return { status: STATUS[error.code], body: { error } };
}
