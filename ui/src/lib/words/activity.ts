/** The texts of the activity log. */
import type { EventKind, GrantType, Outcome, Rule } from '../types';

/** What happened, by how it ended: the words for what was done must not stand over what was refused. */
export const eventKind: Record<EventKind, Record<Outcome, string>> = {
  provider_added: ended('Provider added', 'Adding a provider'),
  provider_changed: ended('Provider changed', 'Changing a provider'),
  provider_removed: ended('Provider removed', 'Removing a provider'),
  flow_started: ended('Sign-in started', 'Starting a sign-in'),
  flow_ended: { done: 'Sign-in ended', refused: 'Sign-in denied', failed: 'Sign-in failed' },
  connected: ended('Connected', 'Connecting'),
  token_handed_out: ended('Token handed out', 'Token request'),
  refreshed: ended('Refreshed', 'Refresh'),
  refresh_failed: { done: 'Refresh failed', refused: 'Refresh denied', failed: 'Refresh failed' },
  scopes_lost: { done: 'Scopes lost', refused: 'Scopes lost', failed: 'Scopes lost' },
  connection_changed: ended('Connection changed', 'Changing a connection'),
  disconnected: ended('Disconnected', 'Disconnecting'),
  revoked: ended('Tokens revoked at the provider', 'Revoking tokens at the provider'),
  locked: ended('Vault locked', 'Locking the vault'),
  unlocked: ended('Vault unlocked', 'Unlocking the vault'),
  older_accepted: ended('Older copy of the vault accepted', 'Accepting an older copy of the vault'),
  redirect_refused: { done: 'Redirect refused', refused: 'Redirect refused', failed: 'Redirect refused' },
  consent_asked: ended('Permission requested', 'Requesting permission'),
  consent_decided: { done: 'Allowed', refused: 'Denied', failed: 'Decision failed' },
  app_added: ended('App registered', 'Registering an app'),
  app_removed: ended('App removed', 'Removing an app'),
  app_authorized: ended('App authorized', 'Authorizing an app'),
  grant_given: ended('Grant given', 'Giving a grant'),
  grant_removed: ended('Grant taken away', 'Taking a grant away'),
  credential_added: ended('Credential added', 'Adding a credential'),
  credential_changed: ended('Credential changed', 'Changing a credential'),
  credential_removed: ended('Credential removed', 'Removing a credential'),
  credential_handed_out: ended('Credential handed out', 'Credential request'),
  settings_changed: ended('Settings changed', 'Changing the settings'),
  app_refused: { done: 'App refused', refused: 'App refused', failed: 'App refused' },
  log_damaged: { done: 'Log damaged', refused: 'Log damaged', failed: 'Log damaged' },
  handed_over: ended('Engine handed over', 'Taking over from the engine'),
};

/** The words for an event that was done, and those for what was only tried. */
function ended(done: string, tried: string): Record<Outcome, string> {
  return { done, refused: `${tried} denied`, failed: `${tried} failed` };
}

/** By which rule it was let through or refused. */
export const rule: Record<Rule, string> = {
  window: 'You did it in the window',
  engine: 'Tokenry’s own work',
  same_user: 'Any program of yours may',
  grant: 'The app has a grant for it',
  session: 'You allowed it for the session',
  once: 'You allowed it, this once',
  approve_all: 'Tokenry was started to approve everything',
  denied: 'You said no',
  denied_before: 'You had said no a moment before, and were not asked again',
  unanswered: 'Nobody answered, which is a no',
  cannot_ask: 'Nobody could be asked, which is a no',
  no_grant: 'The app has no grant for it',
  not_for_this_caller: 'No caller of this kind may',
};

/** What was sent to which provider, for the events that send something. */
export const sent: Record<GrantType, Partial<Record<EventKind, (provider: string) => string>>> = {
  authorization_code: {
    flow_started: (provider) => `The browser was sent to ${provider}`,
    connected: (provider) => `The code of the sign-in was sent to ${provider}, which answered with tokens`,
    refreshed: (provider) => `The refresh token was sent to ${provider}, which answered with a new access token`,
    refresh_failed: (provider) => `A refresh was meant for ${provider}`,
    revoked: (provider) => `The tokens were sent to ${provider}, to be revoked`,
  },
  // There is no refresh token: the client asks anew each time.
  client_credentials: {
    connected: (provider) => `The client credentials were sent to ${provider}, which answered with an access token`,
    refreshed: (provider) => `The client credentials were sent to ${provider}, which answered with a new access token`,
    refresh_failed: (provider) => `A request for a new access token was meant for ${provider}`,
    revoked: (provider) => `The access token was sent to ${provider}, to be revoked`,
  },
};

export const activity = {
  /** Repeats of what was refused or failed are one line. */
  times: (count: number) => `× ${count.toLocaleString('en')}`,
  title: 'Activity',
  filter: 'Filter what is listed',
  byApp: 'App',
  byConnection: 'Connection',
  /** With very many connections, their names are typed. */
  nameHint: 'Type its name.',
  noSuchName: (n: number) => (n === 0 ? 'No connection has this name.' : `${n} connections fit: type the whole name.`),
  list: 'Events',
  byOutcome: 'How it ended',
  any: 'Any',
  empty: 'Nothing happened yet. Every event is listed here: who asked, for what, and how it ended. Never a value.',
  none: 'No event fits this filter.',
  noneYet: 'No event fits among those that were looked at.',
  older: 'Show older events',
  ui: 'You, in the window',
  consent: 'You, when asked',
  engine: 'Tokenry itself',
  program: 'A program',
  app: 'An app',
  viaApp: (app: string, program: string) => `${app}, through ${program}`,
  pid: (pid: number) => `process ${pid}`,
  gone: 'no longer there',
};
