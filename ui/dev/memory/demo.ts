/** Scenes of the in-memory engine: `npm run dev`, then `?demo=NAME`. */
import type { Vault } from '../../src/lib/types';
import { MemoryTransport } from './transport';
import { nextId, type MemoryEngine } from './engine';
import { aConnection, aCredential, aGrant, anApp, aProvider, anEvent } from './samples';

const MINUTE = 60_000;
const at = (ms: number) => new Date(Date.now() + ms).toISOString();

const scenes: Record<string, (engine: MemoryEngine) => void> = {
  empty: () => undefined,
  full,
  many,
  locked: (engine) => lock(engine, { state: 'locked', slots: ['keyring'], read_only: false }),
  passphrase: (engine) => lock(engine, { state: 'locked', slots: ['passphrase'], read_only: false }),
  keyring: (engine) =>
    lock(engine, {
      state: 'locked',
      slots: ['keyring'],
      read_only: false,
      code: 'oauth_unavailable',
      message:
        'the OS keyring is open but has no key for this vault. It may be the keyring of another user or session, or the entry "Tokenry vault key" was deleted; put it back from a backup of the keyring.',
    }),
  first: (engine) =>
    lock(engine, {
      state: 'absent',
      slots: [],
      read_only: false,
      code: 'oauth_unavailable',
      message: 'There is no OS keyring on this machine: no program answers for org.freedesktop.secrets.',
    }),
};

/** The scene of this name, or the full one. Sign-ins succeed after a few seconds. */
export function demoTransport(name: string): MemoryTransport {
  const transport = new MemoryTransport();
  (scenes[name] ?? full)(transport.engine);
  void transport.changes((change) => {
    if (change.type !== 'credential.changed') return;
    const flow = transport.engine.connections.get(change.id)?.flow_id;
    if (flow) setTimeout(() => finish(transport.engine, flow), 6000);
  });
  return transport;
}

function finish(engine: MemoryEngine, flow: string): void {
  if (engine.flows.get(flow)?.status !== 'waiting') return;
  const times = { expires_at: at(60 * MINUTE), last_refreshed_at: at(0) };
  const scopes = ['openid', 'email', 'offline_access'];
  engine.end(
    flow,
    { status: 'connected' },
    { ...times, scopes, account: { display_name: 'grace@example.org', subject: 'grace', email: 'grace@example.org' } },
  );
}

function lock(engine: MemoryEngine, vault: Vault): void {
  full(engine);
  if (vault.slots.includes('passphrase')) engine.passphrase = 'correct horse';
  engine.vault = vault;
}

function full(engine: MemoryEngine): void {
  const github = aProvider({
    id: nextId(),
    name: 'github',
    display_name: 'GitHub',
    has_client_secret: true,
    token_endpoint_auth_method: 'client_secret_post',
    authorization_endpoint: 'https://github.com/login/oauth/authorize',
    token_endpoint: 'https://github.com/login/oauth/access_token',
    default_scopes: ['repo', 'read:user', 'workflow'],
  });
  const sandbox = aProvider({ id: nextId(), name: 'sandbox', display_name: 'Sandbox', redirect: 'deep_link' });
  const billing = aProvider({
    id: nextId(),
    name: 'billing-api',
    display_name: 'Billing API',
    grant_type: 'client_credentials',
    has_client_secret: true,
  });
  const unused = aProvider({ id: nextId(), name: 'weather', display_name: 'Weather', redirect: 'paste' });
  for (const provider of [github, sandbox, billing, unused]) engine.providers.set(provider.id, provider);

  const ada = aConnection(github, {
    id: nextId(),
    account: { display_name: 'ada@example.org', subject: '1', name: 'Ada Lovelace', email: 'ada@example.org' },
    expires_at: at(42 * MINUTE + 12_000),
    last_refreshed_at: at(-18 * MINUTE),
    last_used_at: at(-20_000),
  });
  const work = aConnection(github, {
    id: nextId(),
    label: 'work',
    account: {
      display_name: 'ada.lovelace@analytical-engines.example',
      subject: '2',
      email: 'ada.lovelace@analytical-engines.example',
    },
    expires_at: at(7 * MINUTE),
    last_refreshed_at: at(-3 * 60 * MINUTE),
    requested_scopes: [...github.default_scopes, 'workflow'],
    missing_scopes: ['workflow'],
    trouble: {
      at: at(-MINUTE),
      message: 'The provider cannot be reached: connecting to github.com took longer than 10 s.',
      attempts: 3,
      next_try_at: at(2 * MINUTE),
    },
  });
  const old = aConnection(sandbox, {
    id: nextId(),
    label: 'old',
    account: { display_name: 'charles@example.org', subject: '3', email: 'charles@example.org' },
    status: 'needs_reauth',
    reason: 'revoked',
    expires_at: at(-MINUTE),
    scopes: ['openid', 'email', 'offline_access', 'calendar.read', 'calendar.write', 'files.read', 'files.write'],
  });
  const paused = aConnection(billing, {
    id: nextId(),
    status: 'paused',
    expires_at: at(26 * 60 * MINUTE),
    refreshable: false,
  });
  const ends = aConnection(billing, {
    id: nextId(),
    label: 'grace',
    account: { display_name: 'grace@example.org', subject: '4', email: 'grace@example.org' },
    status: 'expiring',
    sign_in_again_before: at(50 * 60 * MINUTE),
    expires_at: at(30 * MINUTE),
    scopes: ['invoices.read', 'invoices.write'],
    requested_scopes: ['invoices.read'],
  });
  for (const connection of [ada, work, old, paused, ends]) engine.connections.set(connection.id, connection);
  engine.start(sandbox, 'new', undefined);
  const app = anApp({
    id: nextId(),
    name: 'release-notes',
    redirect_uris: ['http://127.0.0.1/callback'],
    last_used_at: at(-40_000),
  });
  const tokens = aGrant(app, {
    id: nextId(),
    scopes: ['tokens:read', 'connections:read'],
    connections: [ada.id, work.id],
    token_scopes: ['repo'],
    last_used_at: at(-40_000),
  });
  const log = aGrant(app, { id: nextId(), scopes: ['activity:read'], expires_at: at(20 * 24 * 60 * MINUTE) });
  engine.apps.set(app.id, { ...app, grants: [tokens, log] });
  const plain = anApp({ id: nextId(), name: 'weather-widget', public: true });
  engine.apps.set(plain.id, plain);
  const entered = [
    aCredential({
      id: nextId(),
      name: 'weather-key',
      expires_at: at(12 * 24 * 60 * MINUTE),
      last_used_at: at(-MINUTE),
    }),
    aCredential({ id: nextId(), name: 'printer', type: 'basic_auth', fields: ['password', 'username'] }),
    aCredential({
      id: nextId(),
      name: 'signing',
      type: 'default',
      fields: ['certificate', 'key'],
      redact_fields: ['key'],
    }),
  ];
  for (const credential of entered) engine.credentials.set(credential.id, credential);
  engine.events.push(...decisions(github.id, ada.id, app.id), ...history(github.id, ada.id, work.id));
}

function decisions(provider: string, connection: string, app: string) {
  const of = { provider_id: provider, connection_id: connection };
  const deploy = { caller: 'program', program: '/home/ada/bin/deploy', pid: 31337 } as const;
  const byApp = { caller: 'app', app_id: app, program: '/usr/bin/release-notes', pid: 2001, rule: 'grant' } as const;
  return [
    anEvent({ id: nextId(), at: at(-3_000), kind: 'token_handed_out', ...byApp, ...of }),
    anEvent({
      id: nextId(),
      at: at(-9_000),
      kind: 'consent_decided',
      ...deploy,
      ...of,
      outcome: 'refused',
      rule: 'denied',
      detail: 'a token',
    }),
    anEvent({ id: nextId(), at: at(-12_000), kind: 'grant_given', app_id: app, rule: 'window' }),
  ];
}

function history(provider: string, ada: string, work: string) {
  const program = '/usr/bin/git-credential-tokenry';
  const of = (connection_id: string) => ({ provider_id: provider, connection_id });
  return [
    anEvent({
      id: nextId(),
      at: at(-20_000),
      kind: 'token_handed_out',
      caller: 'program',
      program,
      pid: 31337,
      ...of(ada),
    }),
    anEvent({
      id: nextId(),
      at: at(-MINUTE),
      kind: 'refresh_failed',
      caller: 'engine',
      outcome: 'failed',
      detail: 'The provider cannot be reached',
      ...of(work),
    }),
    anEvent({ id: nextId(), at: at(-18 * MINUTE), kind: 'refreshed', caller: 'engine', ...of(ada) }),
    anEvent({
      id: nextId(),
      at: at(-50 * MINUTE),
      kind: 'redirect_refused',
      caller: 'engine',
      outcome: 'refused',
      detail: 'unknown state',
    }),
    anEvent({
      id: nextId(),
      at: at(-55 * MINUTE),
      kind: 'token_handed_out',
      caller: 'program',
      program: '/home/ada/bin/deploy',
      pid: 30811,
      outcome: 'refused',
      detail: 'the connection is paused',
      ...of(work),
    }),
    anEvent({ id: nextId(), at: at(-26 * 60 * MINUTE), kind: 'connected', ...of(work) }),
    anEvent({ id: nextId(), at: at(-50 * 60 * MINUTE), kind: 'connected', ...of(ada) }),
    anEvent({ id: nextId(), at: at(-51 * 60 * MINUTE), kind: 'provider_added', provider_id: provider }),
    anEvent({ id: nextId(), at: at(-52 * 60 * MINUTE), kind: 'unlocked' }),
  ];
}

/** So many that drawing all of them would be felt. */
function many(engine: MemoryEngine): void {
  for (let p = 0; p < 20; p += 1) {
    const provider = aProvider({ id: nextId(), name: `provider-${p}`, display_name: `Provider ${p}` });
    engine.providers.set(provider.id, provider);
    for (let c = 0; c < 500; c += 1) {
      const account = {
        display_name: `person-${c}@provider-${p}.example`,
        subject: `${p}-${c}`,
        email: `person-${c}@provider-${p}.example`,
      };
      const connection = aConnection(provider, {
        id: nextId(),
        label: `label-${c}`,
        account,
        expires_at: at(c * MINUTE),
      });
      engine.connections.set(connection.id, connection);
    }
  }
}
