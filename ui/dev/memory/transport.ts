/**
 * The transport of unit tests and of `npm run dev`: an engine in memory, which answers with the API's envelopes and
 * issues no token.
 */
import type { ClosingAnswer, ExportedLog, PathPurpose, Response, Transport } from '../../src/lib/transport/transport';
import type { App, Change, CreateApp, ErrorBody, ErrorCode } from '../../src/lib/types';
import { ApiError } from './api-error';
import { MemoryEngine, nextId } from './engine';
import { routes } from './handlers';
import { find, parseQuery } from './routes';
import { anApp } from './samples';
import { MemoryTools } from './tools';
import type { SetupChange, SetupPlan, SetupRequest, SetupTool } from '../../src/lib/types-setup';

/** Operations that a locked vault allows. */
const WHILE_LOCKED = ['/v1/status', '/v1/lock', '/v1/unlock', '/v1/unlock-requests'];

export class MemoryTransport implements Transport {
  readonly engine = new MemoryEngine((change) => this.#tell(change));
  /** Every request, as `METHOD path`, with its body. */
  readonly requests: { line: string; body: unknown }[] = [];
  /** What was put on the clipboard: a text, or the kind of secret and its owner. */
  readonly copied: string[] = [];

  readonly #listeners = new Set<(change: Change) => void>();
  readonly #failures: { line: string; error: Partial<ErrorBody> & { code: ErrorCode } }[] = [];

  /** Lets the next request of this line fail (`POST /v1/…`, or the beginning of it). */
  failNext(line: string, error: Partial<ErrorBody> & { code: ErrorCode }): void {
    this.#failures.push({ line, error });
  }

  /** The requests without their bodies. */
  get lines(): string[] {
    return this.requests.map(({ line }) => line);
  }

  async request(method: string, path: string, body?: unknown): Promise<Response> {
    const line = `${method} ${path}`;
    // Any click can cause it, so it says nothing about a screen.
    if (path !== '/v1/window/used') this.requests.push({ line, body });
    // A real transport copies, too: no object is shared.
    await Promise.resolve();
    try {
      this.#failIfWanted(line);
      return structuredClone({ status: 200, body: this.#handle(method, path, structuredClone(body ?? null)) });
    } catch (cause) {
      if (cause instanceof ApiError) return cause.response;
      throw cause;
    }
  }

  #handle(method: string, path: string, body: unknown): unknown {
    const [bare = '', query = ''] = path.split('?');
    const { route, names } = find(routes, method, bare);
    if (!WHILE_LOCKED.includes(route.path)) this.engine.mustBeOpen();
    return route.handle(this.engine, { path: names, body, query: parseQuery(query) });
  }

  changes(listener: (change: Change) => void): Promise<() => void> {
    this.#listeners.add(listener);
    return Promise.resolve(() => void this.#listeners.delete(listener));
  }

  async copyToken(connection: string): Promise<void> {
    this.#failIfWanted(`COPY token ${connection}`);
    this.engine.connection(connection);
    this.copied.push(`token of ${connection}`);
  }

  async copyCredential(credential: string, field: string): Promise<void> {
    this.#failIfWanted(`COPY ${field} of ${credential}`);
    this.engine.credential(credential);
    this.copied.push(`${field} of ${credential}`);
  }

  async createApp(body: CreateApp): Promise<App> {
    this.requests.push({ line: 'CREATE app', body });
    await Promise.resolve();
    const problem = `another app is already called ${body.name}`;
    if ([...this.engine.apps.values()].some(({ name }) => name === body.name)) {
      throw { error: new ApiError('conflict', problem, { fields: { name: problem } }).error };
    }
    const app = this.engine.putApp(anApp({ id: nextId(), ...structuredClone(body) }));
    if (!app.public) this.copied.push(`token of ${app.name}`);
    return structuredClone(app);
  }

  async copyLink(flow: string): Promise<void> {
    this.engine.flow(flow);
    this.copied.push(`link of ${flow}`);
  }

  /** The presets whose page was opened in the browser. */
  readonly opened: string[] = [];

  async openRegistration(preset: string): Promise<void> {
    this.#failIfWanted(`OPEN ${preset}`);
    this.opened.push(preset);
  }

  /** The answers when the window was closed. */
  readonly closings: ClosingAnswer[] = [];

  async closeWindow(answer: ClosingAnswer): Promise<void> {
    this.closings.push(answer);
  }

  /** What the dialogs give; none for one that the user closes. */
  readonly paths: Partial<Record<PathPurpose, string>> = {
    save_backup: '/home/ada/tokenry-backup.age',
    open_backup: '/home/ada/tokenry-backup.age',
    identity: '/home/ada/identity.txt',
    folder: '/home/ada/backups',
  };

  async choosePath(purpose: PathPurpose): Promise<string | undefined> {
    return this.paths[purpose];
  }

  /** What was exported. */
  readonly exports: ExportedLog[] = [];

  async exportLog(wanted: ExportedLog): Promise<string | null> {
    this.#failIfWanted(`EXPORT ${wanted.what}`);
    this.exports.push(wanted);
    return '/home/ada/tokenry-export';
  }

  /** The tools of the machine. */
  readonly tools = new MemoryTools();

  async setupTools(): Promise<SetupTool[]> {
    this.#failIfWanted('SETUP list');
    return structuredClone(this.tools.list);
  }

  async planSetup(request: SetupRequest): Promise<SetupPlan> {
    this.#failIfWanted('SETUP plan');
    return this.tools.plan(structuredClone(request));
  }

  async writeSetup(request: SetupRequest, shown: SetupChange[]): Promise<void> {
    this.#failIfWanted('SETUP write');
    this.tools.write(structuredClone(request), structuredClone(shown));
  }

  async copyText(text: string): Promise<void> {
    this.copied.push(text);
  }

  #failIfWanted(line: string): void {
    const at = this.#failures.findIndex((failure) => line.startsWith(failure.line));
    const [failure] = at < 0 ? [] : this.#failures.splice(at, 1);
    if (!failure) return;
    const { code, message = code, details } = failure.error;
    throw new ApiError(code, message, details ?? undefined);
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(structuredClone(change));
  }
}
