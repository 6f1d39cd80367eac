/** The texts of the activity log. */
import type { EventKind, Rule } from '../types';

export const eventKind: Record<EventKind, string> = {
  provider_added: 'Provider added',
  provider_changed: 'Provider changed',
  provider_removed: 'Provider removed',
  flow_started: 'Sign-in started',
  flow_ended: 'Sign-in ended',
  connected: 'Connected',
  token_handed_out: 'Token handed out',
  refreshed: 'Refreshed',
  refresh_failed: 'Refresh failed',
  disconnected: 'Disconnected',
  revoked: 'Tokens revoked at the provider',
  locked: 'Vault locked',
  unlocked: 'Vault unlocked',
  redirect_refused: 'Redirect refused',
  consent_asked: 'You were asked',
  consent_decided: 'Your decision',
  app_added: 'App registered',
  app_removed: 'App removed',
  app_authorized: 'App authorized',
  grant_given: 'Grant given',
  grant_removed: 'Grant taken away',
  credential_added: 'Credential added',
  credential_changed: 'Credential changed',
  credential_removed: 'Credential removed',
  credential_handed_out: 'Credential handed out',
  settings_changed: 'Settings changed',
};

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
export const sent: Partial<Record<EventKind, (provider: string) => string>> = {
  flow_started: (provider) => `The browser was sent to ${provider}`,
  connected: (provider) => `The code of the sign-in was sent to ${provider}, which answered with tokens`,
  refreshed: (provider) => `The refresh token was sent to ${provider}, which answered with a new access token`,
  refresh_failed: (provider) => `A refresh was meant for ${provider}`,
  revoked: (provider) => `The tokens were sent to ${provider}, to be revoked`,
};

export const activity = {
  title: 'Activity',
  filter: 'Filter what is listed',
  byApp: 'App',
  byConnection: 'Connection',
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
