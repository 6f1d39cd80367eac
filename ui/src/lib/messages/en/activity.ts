/** The activity log. */
import type { EventKind, GrantType, LogProblemKind, Outcome, Rule } from '../../types';

/** The text of a success, and the texts of a denied and of a failed attempt. */
function texts(done: string, attempt: string): Record<Outcome, string> {
  return { done, refused: `Denied: ${attempt}`, failed: `Failed: ${attempt}` };
}

function always(text: string): Record<Outcome, string> {
  return { done: text, refused: text, failed: text };
}

const eventKind: Record<EventKind, Record<Outcome, string>> = {
  provider_added: texts('Provider added', 'add a provider'),
  provider_changed: texts('Provider changed', 'change a provider'),
  provider_removed: texts('Provider deleted', 'delete a provider'),
  flow_started: texts('Sign-in started', 'start a sign-in'),
  flow_ended: { done: 'Sign-in completed', refused: 'Sign-in denied', failed: 'Sign-in failed' },
  connected: texts('Connected', 'connect'),
  token_handed_out: texts('Token returned', 'token request'),
  token_rejected: texts('Rejected token reported', 'report of a rejected token'),
  refreshed: texts('Refreshed', 'refresh'),
  refresh_failed: { done: 'Refresh failed', refused: 'Refresh denied', failed: 'Refresh failed' },
  scopes_lost: always('Scopes lost'),
  connection_changed: texts('Connection changed', 'change a connection'),
  disconnected: texts('Disconnected', 'disconnect'),
  revoked: texts('Tokens revoked', 'revoke tokens'),
  locked: texts('Vault locked', 'lock the vault'),
  unlocked: texts('Vault unlocked', 'unlock the vault'),
  older_accepted: texts('Older copy of the vault accepted', 'accept an older copy of the vault'),
  unlocking_changed: texts('Unlocking changed', 'change how the vault is unlocked'),
  redirect_refused: always('Redirect rejected'),
  consent_asked: texts('Permission requested', 'permission request'),
  consent_decided: { done: 'Allowed', refused: 'Denied', failed: 'Permission request failed' },
  app_added: texts('App registered', 'register an app'),
  app_removed: texts('App deleted', 'delete an app'),
  app_authorized: texts('App authorized', 'authorize an app'),
  grant_given: texts('Access granted', 'grant access'),
  grant_removed: texts('Grant revoked', 'revoke a grant'),
  credential_added: texts('Credential added', 'add a credential'),
  credential_changed: texts('Credential changed', 'change a credential'),
  credential_removed: texts('Credential deleted', 'delete a credential'),
  credential_handed_out: texts('Credential read', 'read a credential'),
  settings_changed: texts('Settings changed', 'change the settings'),
  app_refused: always('App authentication rejected'),
  log_damaged: always('Activity log damaged'),
  handed_over: texts('Engine replaced', 'replace the engine'),
  backed_up: texts('Backup written', 'write a backup'),
  restored: texts('Backup restored', 'restore a backup'),
  cut_off: texts('Access cut off', 'cut off access'),
  vault_checked: { done: 'Vault checked', refused: 'Vault check denied', failed: 'Vault check failed: problems found' },
  salvaged: texts('Vault copied into a new profile', 'copy the vault into a new profile'),
};

/** The rule that allowed or denied a request. */
const rule: Record<Rule, string> = {
  window: 'Done by you in the window',
  engine: 'Done by Tokenry',
  same_user: 'Allowed for all your programs',
  grant: 'Allowed by a grant',
  session: 'Allowed by you for the session',
  once: 'Allowed by you once',
  approve_all: 'Allowed by the engine option --approve all',
  denied: 'Denied by you',
  denied_before: 'Denied a moment ago, not asked again',
  unanswered: 'Denied: no answer in time',
  cannot_ask: 'Denied: prompts are off',
  no_grant: 'Denied: no matching grant',
  not_for_this_caller: 'Denied: this caller may not do this',
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
  noneLoaded: 'No matches in the loaded events. Load older events to search further.',
  older: 'Load older events',
  you: 'You',
  engine: 'Tokenry (background)',
  program: 'Program',
  app: 'App',
  viaApp: (app: string, program: string) => `${app} (${program})`,
  pid: (pid: number) => `process ${pid}`,
};

/** What is wrong with lines of the log, by their numbers. */
const logProblem: Record<LogProblemKind, (lines: string) => string> = {
  missing: (lines) => `${lines} missing`,
  damaged: (lines) => `${lines} damaged`,
  replaced: (lines) => `${lines} replaced`,
  surplus: (lines) => `${lines} added from outside`,
};

/** Who got what, counted. */
export const audit = {
  show: 'Who got what',
  showEvents: 'Events',
  views: 'View',
  since: 'Since',
  periods: { day: 'Last 24 hours', week: 'Last 7 days', month: 'Last 30 days', all: 'The whole log' },
  program: 'Program',
  programHint: 'A path or a file name. Press Enter.',
  who: 'Requester',
  what: 'Connection or credential',
  issued: 'Issued',
  refused: 'Denied or failed',
  period: 'First, last',
  until: 'Valid until',
  times: (n: number) => n.toLocaleString('en'),
  unknownEnd: 'unknown',
  notByItself: 'You change it at its service',
  removed: 'removed',
  none: 'No requests in this period.',
  leftOut: (n: number) =>
    `${n.toLocaleString('en')} requests of more requesters are not listed. Choose an app or a connection.`,
  damaged: (n: number) => `${n.toLocaleString('en')} lines of the log are missing or damaged, and not counted.`,
  exportCsv: 'Export CSV',
  exportLines: 'Export JSON lines',
  exported: (path: string) => `Exported to ${path}`,
  verify: 'Check the log',
  whole: (lines: number) => `The activity log is whole: ${lines.toLocaleString('en')} lines, an unbroken chain.`,
  notWhole: 'The activity log is not as it was written. Lines:',
  logProblem,
};
