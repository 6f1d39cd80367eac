/** The activity log. */
import type { EventKind, GrantType, Outcome, Rule } from '../../types';

/** The text of a success, and the texts of a denied and of a failed attempt. */
function texts(done: string, attempt: string): Record<Outcome, string> {
  return { done, refused: `${attempt} denied`, failed: `${attempt} failed` };
}

function always(text: string): Record<Outcome, string> {
  return { done: text, refused: text, failed: text };
}

const eventKind: Record<EventKind, Record<Outcome, string>> = {
  provider_added: texts('Provider added', 'Adding a provider'),
  provider_changed: texts('Provider changed', 'Changing a provider'),
  provider_removed: texts('Provider removed', 'Removing a provider'),
  flow_started: texts('Sign-in started', 'Starting a sign-in'),
  flow_ended: { done: 'Sign-in ended', refused: 'Sign-in denied', failed: 'Sign-in failed' },
  connected: texts('Connected', 'Connecting'),
  token_handed_out: texts('Token issued', 'Token request'),
  refreshed: texts('Refreshed', 'Refresh'),
  refresh_failed: { done: 'Refresh failed', refused: 'Refresh denied', failed: 'Refresh failed' },
  scopes_lost: always('Scopes lost'),
  connection_changed: texts('Connection changed', 'Changing a connection'),
  disconnected: texts('Disconnected', 'Disconnecting'),
  revoked: texts('Tokens revoked', 'Revoking tokens'),
  locked: texts('Vault locked', 'Locking the vault'),
  unlocked: texts('Vault unlocked', 'Unlocking the vault'),
  older_accepted: texts('Older copy of the vault accepted', 'Accepting an older copy of the vault'),
  redirect_refused: always('Redirect rejected'),
  consent_asked: texts('Permission requested', 'Permission request'),
  consent_decided: { done: 'Allowed', refused: 'Denied', failed: 'Permission request failed' },
  app_added: texts('App registered', 'Registering an app'),
  app_removed: texts('App removed', 'Removing an app'),
  app_authorized: texts('App authorized', 'Authorizing an app'),
  grant_given: texts('Access granted', 'Granting access'),
  grant_removed: texts('Grant revoked', 'Revoking a grant'),
  credential_added: texts('Credential added', 'Adding a credential'),
  credential_changed: texts('Credential changed', 'Changing a credential'),
  credential_removed: texts('Credential deleted', 'Deleting a credential'),
  credential_handed_out: texts('Credential read', 'Reading a credential'),
  settings_changed: texts('Settings changed', 'Changing the settings'),
  app_refused: always('App rejected'),
  log_damaged: always('Activity log damaged'),
  handed_over: texts('Engine handed over', 'Taking over from the engine'),
};

/** The rule that allowed or denied a request. */
const rule: Record<Rule, string> = {
  window: 'Done by you in the window',
  engine: 'Done by Tokenry',
  same_user: 'Allowed for all your programs',
  grant: 'Allowed by a grant',
  session: 'Allowed by you for the session',
  once: 'Allowed by you once',
  approve_all: 'Allowed by --approve all',
  denied: 'Denied by you',
  denied_before: 'Denied a moment ago, not asked again',
  unanswered: 'No answer in time',
  cannot_ask: 'Denied: no way to ask',
  no_grant: 'Denied: no grant for it',
  not_for_this_caller: 'Denied for this kind of caller',
};

/** What was sent to the provider. */
const sent: Record<GrantType, Partial<Record<EventKind, (provider: string) => string>>> = {
  authorization_code: {
    flow_started: (provider) => `Opened ${provider} in the browser`,
    connected: (provider) => `Exchanged the authorization code at ${provider}`,
    refreshed: (provider) => `Refreshed at ${provider}`,
    refresh_failed: (provider) => `Tried to refresh at ${provider}`,
    revoked: (provider) => `Revoked the tokens at ${provider}`,
  },
  // The client requests a new access token each time: it has no refresh token.
  client_credentials: {
    connected: (provider) => `Requested an access token at ${provider}`,
    refreshed: (provider) => `Requested a new access token at ${provider}`,
    refresh_failed: (provider) => `Tried to request a new access token at ${provider}`,
    revoked: (provider) => `Revoked the access token at ${provider}`,
  },
};

const outcome: Record<Outcome, string> = { done: 'Done', refused: 'Denied', failed: 'Failed' };

export const activity = {
  eventKind,
  rule,
  sent,
  outcome,
  /** Repeated failures are one line. */
  times: (count: number) => `× ${count.toLocaleString('en')}`,
  title: 'Activity',
  filter: 'Search activity',
  byApp: 'App',
  byConnection: 'Connection',
  /** With very many connections, their names are typed. */
  nameHint: 'Enter its name.',
  noSuchName: (n: number) => (n === 0 ? 'No connection has this name.' : `${n} matches: enter the full name.`),
  list: 'Events',
  byOutcome: 'Outcome',
  any: 'Any',
  empty: 'Nothing yet. Requests, sign-ins and changes appear here. Secrets are never logged.',
  noneLoaded: 'No matches in the loaded events. Load older?',
  older: 'Load older events',
  you: 'You',
  engine: 'Tokenry (background)',
  program: 'Program',
  app: 'App',
  viaApp: (app: string, program: string) => `${app} (${program})`,
  pid: (pid: number) => `process ${pid}`,
};
