/** The prompts of the consent window in memory: for its tests and for `npm run dev`. */
import type { ConsentTransport } from '../../src/consent/transport';
import type { Response } from '../../src/lib/transport/transport';
import type { AnswerPrompt, ErrorCode, Prompt } from '../../src/lib/types';
import { ApiError } from './api-error';
import { nextId } from './engine';
import { find, routesOf } from './routes';

const MINUTE = 60_000;
const at = (ms: number) => new Date(Date.now() + ms).toISOString();

export function aPrompt(given: Partial<Prompt> = {}): Prompt {
  const id = nextId();
  return {
    id,
    number: `number-${id}`,
    operation: 'token',
    pid: 31337,
    program: '/home/ada/bin/deploy',
    arguments: 'deploy --all production',
    parent: '/usr/bin/bash',
    terminal: '/dev/pts/3',
    app: null,
    app_proved: false,
    provider: 'github',
    connection: 'github/work',
    account: 'ada@example.org',
    credential: null,
    requested_scopes: [],
    token_scopes: ['repo', 'read:user'],
    notes: [],
    changes: [],
    api_scopes: [],
    choices: [],
    credential_choices: [],
    redirect_uri: null,
    for_session: true,
    needs_passphrase: false,
    asked_at: at(0),
    is_shown: true,
    ends_at: at(MINUTE),
    disconnects: 0,
    disconnecting: [],
    ahead: 0,
    waiting: 0,
    ...given,
  };
}

const route = routesOf<MemoryPrompts>();

const routes = [
  route('get', '/v1/prompts', (prompts) => prompts.first()),
  route('post', '/v1/prompts/{id}/answer', (prompts, { path, body }) => {
    prompts.answer(path.id, body);
    return { success: true };
  }),
];

/** Answers as the shell does: it shows the first prompt only, and an answered prompt is gone. */
export class MemoryPrompts implements ConsentTransport {
  readonly answers: { id: string; body: AnswerPrompt }[] = [];
  /** The requests, as `METHOD path`. */
  readonly lines: string[] = [];

  #open: Prompt[] = [];
  #failure: ApiError | undefined;
  readonly #listeners = new Set<() => void>();

  ask(given: Partial<Prompt> = {}): Prompt {
    const prompt = aPrompt(given);
    this.#open.push(prompt);
    this.#tell();
    return prompt;
  }

  /** Changes what a prompt shows. */
  change(id: string, given: Partial<Prompt>): void {
    this.#open = this.#open.map((prompt) => (prompt.id === id ? { ...prompt, ...given } : prompt));
    this.#tell();
  }

  /** Ends a prompt: it was answered, its time is over, or the requester is gone. */
  end(id: string): void {
    this.#open = this.#open.filter((prompt) => prompt.id !== id);
    this.#tell();
  }

  failNext(code: ErrorCode, message: string): void {
    this.#failure = new ApiError(code, message);
  }

  first(): Prompt[] {
    const [first] = this.#open;
    return first ? [{ ...first, waiting: this.#open.length - 1 }] : [];
  }

  /** @throws ApiError */
  answer(id: string, body: AnswerPrompt): void {
    const failure = this.#failure;
    this.#failure = undefined;
    const prompt = this.#open.find((open) => open.id === id);
    if (failure) throw failure;
    if (!prompt) throw new ApiError('not_found', 'this prompt was answered or is over');
    if (prompt.number !== body.number) throw new ApiError('permission_denied', 'the number is wrong');
    this.answers.push({ id, body });
    this.end(id);
  }

  async request(method: string, path: string, body?: unknown): Promise<Response> {
    this.lines.push(`${method} ${path}`);
    await Promise.resolve();
    try {
      const { route, names } = find(routes, method, path);
      return { status: 200, body: route.handle(this, { path: names, body, query: {} }) };
    } catch (cause) {
      if (cause instanceof ApiError) return cause.response;
      throw cause;
    }
  }

  changes(listener: () => void): Promise<() => void> {
    this.#listeners.add(listener);
    return Promise.resolve(() => void this.#listeners.delete(listener));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const tokens = {
  scope: 'tokens:read',
  description: 'Get access tokens of the connections you choose, and act with them in your name',
  concerns_connections: true,
  concerns_credentials: false,
};
const log = {
  scope: 'activity:read',
  description: 'Read the activity log',
  concerns_connections: false,
  concerns_credentials: false,
};
const keys = {
  scope: 'credentials:read',
  description: 'Read the values of the credentials you choose',
  concerns_connections: false,
  concerns_credentials: true,
};

const anApp: Partial<Prompt> = {
  operation: 'authorize_app',
  pid: null,
  program: null,
  arguments: null,
  parent: null,
  terminal: null,
  app: 'release-notes',
  provider: null,
  connection: null,
  account: null,
  token_scopes: [],
  api_scopes: [tokens, log],
  choices: [
    { connection_id: nextId(), name: 'github', account: 'ada@example.org' },
    { connection_id: nextId(), name: 'github/work', account: 'ada.lovelace@analytical-engines.example' },
    { connection_id: nextId(), name: 'sandbox' },
  ],
  redirect_uri: 'http://127.0.0.1:8123/callback',
  for_session: false,
  ends_at: at(3 * MINUTE),
};

const anAppForKeys: Partial<Prompt> = {
  ...anApp,
  api_scopes: [tokens, keys],
  credential_choices: [
    { credential_id: nextId(), name: 'mail' },
    { credential_id: nextId(), name: 'weather-key' },
  ],
};

const long = 'x'.repeat(180);
const hostile: Partial<Prompt> = {
  program: `/home/ada/${long}/\u0645\u0631\u062d\u0628\u0627/deploy`,
  arguments: `deploy ${long}`,
  parent: `/opt/${long}`,
  account: `${long.slice(0, 80)}@\u05e9\u05dc\u05d5\u05dd.example`,
  requested_scopes: ['read:user'],
  token_scopes: ['read:user', ...Array.from({ length: 40 }, (_, n) => `scope-number-${n}.readwrite`)],
  notes: [`The provider says ${long}`],
};

const scenes: Record<string, Partial<Prompt>[]> = {
  token: [{}],
  more: [
    {
      requested_scopes: ['read:user'],
      token_scopes: ['read:user', 'repo', 'workflow'],
      notes: ['GitHub gives no narrower token than the connection has.'],
    },
    {},
    {},
  ],
  app: [anApp],
  keys: [anAppForKeys],
  hostile: [hostile, {}],
  change: [
    {
      operation: 'move_endpoint',
      connection: null,
      account: null,
      token_scopes: [],
      for_session: false,
      changes: [
        { field: 'display_name', change: 'changed', from: 'GitHub', to: 'GitHub (new)' },
        {
          field: 'token_endpoint',
          change: 'changed',
          from: 'https://github.com/login/oauth/access_token',
          to: 'https://tokens.example/login/oauth/access_token',
        },
        { field: 'use_pkce', change: 'changed', from: 'true', to: 'false' },
        { field: 'client_secret', change: 'changed' },
      ],
      notes: ['Its token endpoint moves from https://github.com to https://tokens.example.'],
    },
  ],
  remove: [
    {
      operation: 'delete_provider',
      connection: null,
      account: null,
      token_scopes: [],
      for_session: false,
      disconnects: 14,
      disconnecting: [...Array.from({ length: 12 }, (_, n) => `github/account-${n}`), 'and 2 more'],
    },
  ],
  credential: [
    { operation: 'read_credential', credential: 'weather-key', connection: null, account: null, provider: null },
  ],
};

/** The prompts of this scene, or one for a token. */
export function demoPrompts(name: string): MemoryPrompts {
  const questions = new MemoryPrompts();
  for (const given of scenes[name] ?? [{}]) questions.ask(given);
  return questions;
}
