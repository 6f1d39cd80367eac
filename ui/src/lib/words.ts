/**
 * Every text of the window, in one table. A second language is a second table of the same type.
 *
 * The nouns are provider, connection, app and event, and nothing else is ever called something else.
 */
import { activity, eventKind, rule, sent } from './words/activity';
import { apps } from './words/apps';
import { credentials } from './words/credentials';
import { settings } from './words/settings';
import { window_ } from './words/window';
import type {
  AuthMethod,
  ConnectionStatus,
  ErrorCode,
  GrantType,
  NarrowingMethod,
  Outcome,
  ReauthReason,
  Redirect,
  Revoked,
  Rotation,
} from './types';

/** What an error looks like: what happened, and what to do. */
export interface Face {
  title: string;
  next: string;
}

const errors: Record<ErrorCode, Face> = {
  validation_error: { title: 'Something cannot be right', next: 'Correct what is named and try again.' },
  unauthorized: {
    title: 'Tokenry does not know who is asking',
    next: 'Close this window and open it again from the app.',
  },
  permission_denied: { title: 'This is not allowed', next: 'The window may not do this, by design.' },
  consent_denied: { title: 'The sign-in was refused', next: 'Nothing was connected. Connect again when you want to.' },
  interaction_required: { title: 'An answer is needed first', next: 'Answer the open question, then try again.' },
  not_found: { title: 'It is no longer there', next: 'It was removed meanwhile; the list shows what there is.' },
  conflict: { title: 'This clashes with what is there', next: 'Look at what is there and choose again.' },
  needs_reauth: { title: 'It needs to be connected again', next: 'Press Connect again at the connection.' },
  flow_expired: { title: 'The sign-in is over', next: 'Press Connect to start a new one.' },
  payload_too_large: { title: 'That is too much', next: 'Give less and try again.' },
  vault_locked: { title: 'The vault is locked', next: 'Unlock it and try again.' },
  rate_limited: { title: 'Too many at once', next: 'Wait a little and try again.' },
  internal: { title: 'Something went wrong in Tokenry', next: 'Try again. If it stays, report it with its number.' },
  provider_error: { title: 'The provider said no', next: 'Check the settings of the provider.' },
  provider_unreachable: {
    title: 'The provider cannot be reached',
    next: 'Check the network. Tokenry goes on trying by itself.',
  },
  oauth_unavailable: { title: 'This machine lacks something', next: 'See the message for what is missing.' },
};

const status: Record<ConnectionStatus, string> = {
  pending: 'Waiting for the browser',
  active: 'Active',
  refreshing: 'Refreshing',
  needs_reauth: 'Needs to be connected again',
  paused: 'Paused',
  disconnecting: 'Disconnecting',
};

const reason: Record<ReauthReason, string> = {
  revoked: 'The provider says that this access was taken back.',
  expired: 'The sign-in at the provider has expired.',
  lost_response: 'An answer of the provider was lost on its way, and the new token with it.',
  scope_missing: 'The provider no longer grants a scope that is needed.',
  refused: 'The provider refuses to renew this access.',
  other_account:
    'The provider answered a refresh with the tokens of another account. They were set aside and not used.',
  client_rejected: 'The provider does not accept the client id or its secret. Correct them, and Tokenry tries again.',
};

const revoked: Record<Revoked, string> = {
  yes: 'The provider revoked the tokens, and they are gone from this machine.',
  no: 'The tokens are gone from this machine, but the provider did not revoke them. Remove the access in your account there.',
  pending: 'The provider has not revoked the tokens yet. Tokenry goes on trying.',
  unsupported:
    'The tokens are gone from this machine. This provider has no way to revoke them; remove the access in your account there if you want to be sure.',
};

const outcome: Record<Outcome, string> = { done: 'Done', refused: 'Refused', failed: 'Failed' };

const grantType: Record<GrantType, string> = {
  authorization_code: 'A person signs in',
  client_credentials: 'The client signs in by itself',
};

const grantTypeHint: Record<GrantType, string> = {
  authorization_code: 'Authorization code: the browser opens, and every account becomes a connection.',
  client_credentials: 'Client credentials: no browser, only the client id and its secret.',
};

const authMethod: Record<AuthMethod, string> = {
  client_secret_post: 'In the body (client_secret_post)',
  client_secret_basic: 'In the header (client_secret_basic)',
  none: 'No secret: a public client (none)',
};

const redirect: Record<Redirect, string> = {
  loopback: 'An address of this machine',
  deep_link: 'A link that opens Tokenry',
  paste: 'By hand: I paste the address',
};

const rotation: Record<Rotation['kind'], string> = {
  unknown: 'Not known',
  none: 'It stays good',
  grace: 'It is replaced, and the old one works a little longer',
  strict: 'It is replaced, and using the old one ends the connection',
};

const narrowing: Record<NarrowingMethod, string> = {
  unknown: 'Only if refresh tokens are not replaced',
  refresh: 'By a refresh request: the grant stays whole',
  exchange: 'By token exchange (RFC 8693)',
  none: 'Not at all',
};

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

export const words = {
  app: 'Tokenry',
  errors,
  status,
  reason,
  revoked,
  eventKind,
  rule,
  sent,
  outcome,
  grantType,
  grantTypeHint,
  authMethod,
  redirect,
  rotation,
  narrowing,

  common: {
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    dismiss: 'Dismiss',
    tryAgain: 'Try again',
    copy: 'Copy',
    copied: 'Copied.',
    loading: 'Loading…',
    optional: 'optional',
    number: (id: string) => `Number for a report: ${id}`,
    filtered: (n: number) => `${n} found`,
    unsaved: 'What you typed is not saved. Press Esc again, or Cancel, to discard it.',
  },

  header: {
    skip: 'Skip to the content',
    sections: 'Sections',
    providers: 'Providers',
    apps: 'Apps',
    activity: 'Activity',
    settings: 'Settings',
    lock: 'Lock',
    help: 'Keyboard shortcuts',
    readOnly: 'This vault can only be read',
    older: 'An older copy of the vault was put back',
    acceptOlder: 'Go on with this older copy',
    olderAccepted: 'This copy of the vault counts as the newest from now on.',
  },

  providers: {
    title: 'Providers',
    add: 'Add provider',
    filter: 'Filter providers and connections',
    none: 'Nothing fits this filter.',
    emptyTitle: 'No providers yet',
    empty:
      'A provider is where you sign in, such as GitHub or your company’s own server. Add one, connect an account, and Tokenry keeps its tokens fresh and sealed on this machine.',
    connect: 'Connect',
    connectFurther: 'Connect another account',
    edit: (name: string) => `Edit ${name}`,
    noConnections: 'Not connected yet.',
    list: 'Providers and connections',
    loading: 'Loading connections…',
    notLoaded: 'The connections could not be loaded',
    connections: (n: number) => count(n, 'connection', 'connections'),
    flowFailed: 'The sign-in did not end in a connection',
    flowExpired: 'Ten minutes went by without an answer from the browser.',
    connected: (who: string) => `Connected as ${who}.`,
    connectedPlain: (name: string) => `${name} is connected.`,
  },

  connection: {
    as: (who: string) => `Connected as ${who}`,
    of: (name: string) => `Connection of ${name}`,
    yet: 'A new connection',
    byItself: 'Connected as the client itself',
    unnamed: 'Connected',
    label: 'Label',
    scopes: 'Scopes',
    noScopes: 'none named by the provider',
    moreScopes: (n: number) => `${n} more`,
    fewerScopes: 'Fewer',
    missing: (scopes: string) => `Asked for and not granted: ${scopes}`,
    expires: 'Expires',
    expiredLabel: 'Expired',
    expired: 'expired',
    never: 'not said by the provider',
    refreshed: 'Refreshed',
    notYet: 'not yet',
    used: 'Last used',
    notUsed: 'never',
    nextTry: 'next try',
    tryingNow: 'now',
    attempts: (n: number) => `tried ${count(n, 'time', 'times')}`,
    refreshNow: 'Refresh now',
    refreshedNow: (name: string) => `${name} was refreshed.`,
    copyToken: 'Copy token',
    tokenCopied: 'The token is on the clipboard. It is cleared from there in 45 seconds.',
    pause: 'Pause',
    resume: 'Resume',
    pausedHint: 'Nothing is refreshed or handed out until you resume it.',
    disconnect: 'Disconnect',
    connectAgain: 'Connect again',
    editProvider: 'Edit the provider',
    editLabel: 'Edit label',
    disconnectingHint: 'The provider still has to be told. Tokenry goes on trying.',
  },

  flow: {
    title: (provider: string) => `Sign in to ${provider}`,
    again: (name: string) => `${name} signs in again.`,
    labelled: (label: string) => `New connection: ${label}`,
    first: 'New connection',
    waits: 'A sign-in is open in the browser.',
    show: 'Show the sign-in',
    ended: (provider: string, title: string) => `${provider}: ${title}`,
    waiting: 'Sign in there and agree. This changes by itself when the browser comes back.',
    waitingPaste:
      'Sign in there. When the browser ends at a page it cannot show, copy its whole address and paste it here.',
    refused: (why: string) => `An answer came and was not taken: ${why.replace(/\.$/, '')}. Still waiting.`,
    open: 'Open the browser again',
    copyLink: 'Copy link',
    linkCopied: 'The link is on the clipboard. Open it in any browser on this machine.',
    cancel: 'Cancel',
    left: 'Ends',
    pasteInstead: 'Paste the address instead',
    paste: 'The address where the browser ended',
    pasteGo: 'Use address',
    pasteNeeded: 'is needed: the whole address, as the browser shows it',
  },

  connectDialog: {
    title: (name: string) => `Connect another account at ${name}`,
    text: 'A label tells the connections apart, on screen and for your programs.',
    label: 'Label',
    hint: (name: string) => `Programs can ask for ${name}/label.`,
    go: 'Connect',
  },

  labelDialog: {
    title: 'Edit label',
    hint: 'Leave it empty to take the label away.',
  },

  disconnectDialog: {
    title: (name: string) => `Disconnect ${name}?`,
    text: 'Its tokens are deleted from this machine, and Tokenry asks the provider to revoke them. Programs that use it get no token any more.',
    go: 'Disconnect',
    done: (name: string) => `${name} is disconnected`,
    pending: (name: string) => `${name} is being disconnected`,
  },

  removeDialog: {
    title: (name: string) => `Delete ${name}?`,
    text: 'The provider and its client registration are deleted from this machine.',
    connections: (n: number) =>
      `It has ${count(n, 'connection', 'connections')}. ${n === 1 ? 'It is' : 'They are'} disconnected first, and the provider is asked to revoke the tokens.`,
    go: 'Delete provider',
    goAll: (n: number) => `Disconnect ${n === 1 ? 'it' : `all ${n}`} and delete`,
    done: (name: string) => `${name} was deleted.`,
  },

  form: {
    addTitle: 'Add provider',
    editTitle: (name: string) => `Edit ${name}`,
    back: 'Back to the providers',
    unsavedTitle: 'Discard what you typed?',
    unsaved: 'This form has changes that are not saved.',
    keep: 'Keep editing',
    discard: 'Discard changes',
    essential: 'Client registration',
    endpoints: 'Addresses of the provider',
    scopes: 'Scopes',
    redirects: 'Redirect',
    redirectsText: 'Register this address at the provider, exactly as it stands here.',
    redirectsLoopback: 'Where the provider asks for a port, any will do: Tokenry takes a free one.',
    redirectsEmpty: 'The addresses to register appear when the provider has a name.',
    advanced: 'Advanced',
    saved: (name: string) => `${name} was saved.`,
    added: (name: string) => `${name} was added. Connect an account to use it.`,
    errorSummary: (n: number) => `${count(n, 'field needs', 'fields need')} another look.`,
    delete: 'Delete provider',
    separators: { ' ': 'A space', ',': 'A comma', ', ': 'A comma and a space', '+': 'A plus sign' } as Record<
      string,
      string
    >,
    secretKept: 'A secret is kept. It is never shown again.',
    secretReplace: 'Replace',
    secretClear: 'Clear',
    secretWillClear: 'The secret is cleared when you save.',
    secretKeep: 'Keep the secret',
    seconds: 'Seconds that the old one works',
    methodAuto: 'In the body when there is a secret',
    fields: {
      name: 'Name',
      display_name: 'Shown as',
      project: 'Project',
      grant_type: 'How tokens are got',
      client_id: 'Client id',
      client_secret: 'Client secret',
      issuer: 'Issuer',
      authorization_endpoint: 'Authorization endpoint',
      token_endpoint: 'Token endpoint',
      refresh_endpoint: 'Refresh endpoint',
      revocation_endpoint: 'Revocation endpoint',
      userinfo_endpoint: 'Userinfo endpoint',
      token_endpoint_auth_method: 'How the secret is sent',
      default_scopes: 'Scopes to ask for',
      scope_separator: 'Between scopes',
      use_pkce: 'Use PKCE (S256)',
      authorize_params: 'Further parameters of the sign-in',
      redirect: 'How the browser comes back',
      authorization_response_iss_parameter_supported: 'The provider names itself in its answers (iss)',
      rotation: 'What becomes of a used refresh token',
      narrowing: 'Narrower tokens',
    },
    hints: {
      name: 'For your programs, like my-provider.',
      display_name: 'For you, like My Provider.',
      project: 'Names are unique within a project.',
      client_id: 'The provider gives it to you when you register Tokenry there.',
      client_secret: 'Sealed on this machine. Leave it empty for a public client.',
      issuer: 'Compared with what the provider says of itself in its answers.',
      userinfo_endpoint: 'Tells whose account a connection is.',
      revocation_endpoint: 'Asked when you disconnect.',
      refresh_endpoint: 'Only when it is not the token endpoint.',
      default_scopes: 'Separated by spaces.',
      scope_separator: 'Nearly always one space.',
      use_pkce: 'Leave it on unless the provider refuses it.',
      authorize_params: 'One per line, like prompt=consent.',
      authorization_response_iss_parameter_supported: 'Then an answer without its name is refused.',
      rotation: 'Decides what a lost answer means.',
      narrowing: 'How the provider gives a token with fewer scopes. A wrong setting can cost scopes.',
    },
    problems: {
      name: 'must be 1 to 64 lower-case letters, digits and single hyphens, starting with a letter, like my-provider',
      needTokenEndpoint: 'is needed: the https address where tokens are fetched',
      needAuthorizationEndpoint: 'is needed for authorization_code: the https address the browser is sent to',
      endpointCarries: (key: string) => `must not carry ${key}, which Tokenry sets itself`,
      clientId: 'must be the id the provider gave you: 1 to 2048 characters',
      clientSecret: 'must be at most 16384 bytes',
      needClientSecret: 'is needed for client_credentials',
      displayName: 'must be 1 to 100 characters',
      scopeSeparator: 'must be 1 to 4 characters, mostly one space or a comma',
      scope: (scope: string) => `"${scope}" cannot be a scope (RFC 6749, 3.3)`,
      params: (key: string) => `must not set ${key}, which Tokenry sets itself`,
      paramLine: (line: string) => `"${line}" must have the form name=value`,
      issuer: 'must be an https address without query and fragment (RFC 8414, 2)',
      mixed: 'http is for a server on this machine: then every endpoint must be on it, else use https',
      http: 'must be https: http would send secrets in the clear',
      https: 'must be an https address',
      url: 'must be a whole address like https://example.com/token',
      urlLong: 'must be a whole address like https://example.com/token: it is longer than 2048 bytes',
      urlSpace: 'must be a whole address like https://example.com/token: it holds a space or a control character',
      fragment: 'must not have a fragment (#…)',
      userinfo: 'must not hold a user name or password',
      seconds: 'must be a whole number of seconds',
    },
  },

  lock: {
    lockedTitle: 'Tokenry is locked',
    lockedText: 'Your connections are sealed. Unlock to see and use them.',
    damagedTitle: 'The vault is damaged',
    damagedText: 'Nothing was changed. Tokenry opens it again once a backup is in its place.',
    firstTitle: 'Choose a passphrase',
    firstText:
      'It seals everything that Tokenry keeps on this machine. Nobody can look it up for you, so keep it where you will find it again.',
    passphrase: 'Passphrase',
    repeat: 'The same again',
    unlock: 'Unlock',
    withKeyring: 'Unlock with the keyring',
    keyringAgain: 'Try the keyring again',
    keyringTitle: 'The keyring is locked',
    keyringText:
      'Tokenry keeps its key in the keyring of your desktop. Unlock the keyring in its own window, and Tokenry goes on by itself.',
    withoutKeyring: 'Use a passphrase instead',
    create: 'Seal with this passphrase',
    problem: 'Why it is not open',
    needPassphrase: 'is needed',
    different: 'must be the same as above',
    passphraseLength: 'must be 8 to 1024 characters',
    unreachableTitle: 'Tokenry does not answer',
    startingTitle: 'Opening Tokenry',
    show: 'Show',
    hide: 'Hide',
  },

  activity,
  apps,
  credentials,
  settings,
  window: window_,

  help: {
    title: 'Keyboard shortcuts',
    keys: {
      'Ctrl+N': 'Add a provider',
      'Ctrl+K': 'Go to the filter',
      'Ctrl+L': 'Lock the vault',
      F1: 'Show this list',
      Esc: 'Close what is open',
    },
  },

  time: {
    left: (text: string) => `in ${text}`,
    ago: (text: string) => `${text} ago`,
    now: 'just now',
    days: (n: number) => count(n, 'day', 'days'),
    hours: (n: number) => `${n} h`,
    minutes: (n: number) => `${n} min`,
    seconds: (n: number) => `${n} s`,
  },
};

export type Words = typeof words;
