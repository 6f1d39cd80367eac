/** The consent window. */
import type { Prompt, PromptOperation } from '../../types';
import { grantExpiries } from './apps';
import { settings } from './provider-form';

/** What a prompt asks. `requester` is the name of the program or app. */
interface Question {
  title: (prompt: Prompt, requester: string) => string;
  /** Follows the name of the requester. */
  wants: (prompt: Prompt) => string;
}

const connection = (prompt: Prompt) => prompt.connection ?? prompt.provider ?? 'a connection';
const account = (prompt: Prompt) => (prompt.account ? ` as ${prompt.account}` : '');
const connectionAndAccount = (prompt: Prompt) =>
  prompt.account ? `${connection(prompt)} (${prompt.account})` : connection(prompt);
const provider = (prompt: Prompt) => prompt.provider ?? 'a provider';
const credential = (prompt: Prompt) => prompt.credential ?? 'credentials';
const disconnects = ({ disconnects: n }: Prompt) =>
  n > 0 ? ` and disconnect ${n === 1 ? 'its connection' : `its ${n} connections`}` : '';

const operation: Record<PromptOperation, Question> = {
  token: {
    title: (prompt, requester) => `Let ${requester} use ${connection(prompt)}${account(prompt)}?`,
    wants: (prompt) => `requests an access token. It can then act for you at ${connection(prompt)}.`,
  },
  start_flow: {
    title: () => 'Start a sign-in?',
    wants: (prompt) => `wants to open ${provider(prompt)} in your browser to connect an account.`,
  },
  step_up: {
    title: (prompt) => `Sign in to ${connection(prompt)} again?`,
    wants: (prompt) =>
      `wants more than ${connectionAndAccount(prompt)} allows now. If you agree, ${provider(prompt)} asks you in your browser.`,
  },
  finish_flow: {
    title: () => 'Finish a sign-in of another program?',
    wants: (prompt) =>
      `wants to finish a sign-in at ${provider(prompt)} that it did not start. Allow this only if you just ran this command.`,
  },
  refresh: {
    title: () => 'Refresh now?',
    wants: (prompt) => `wants new tokens for ${connectionAndAccount(prompt)}.`,
  },
  disconnect: {
    title: (prompt) => `Disconnect ${connection(prompt)}?`,
    wants: (prompt) =>
      `wants to disconnect ${connectionAndAccount(prompt)}. Its tokens are deleted from this computer.`,
  },
  write_connection: {
    title: () => 'Change a connection?',
    wants: (prompt) => `wants to change ${connectionAndAccount(prompt)}.`,
  },
  write_providers: {
    title: (prompt) => (prompt.provider ? 'Change a provider?' : 'Add a provider?'),
    wants: (prompt) => (prompt.provider ? `wants to change ${provider(prompt)}.` : 'wants to add a provider.'),
  },
  delete_provider: {
    title: (prompt) => `Delete provider ${provider(prompt)}${disconnects(prompt)}?`,
    wants: (prompt) =>
      `wants to delete ${provider(prompt)}${disconnects(prompt)}. Programs can no longer get tokens for it. This can’t be undone.`,
  },
  move_endpoint: {
    title: () => 'Change where secrets are sent?',
    wants: (prompt) => `wants to change where the secrets of ${provider(prompt)} are sent, or how they are protected.`,
  },
  read_credential: {
    title: (prompt, requester) => `Let ${requester} read ${credential(prompt)}?`,
    wants: (prompt) => `wants the values of ${credential(prompt)}.`,
  },
  write_credentials: {
    title: () => 'Change credentials?',
    wants: (prompt) => `wants to change ${credential(prompt)}.`,
  },
  delete_credential: {
    title: (prompt) => `Delete ${prompt.credential ? `credential ${prompt.credential}` : 'a credential'}?`,
    wants: (prompt) => `wants to delete ${credential(prompt)}. This can’t be undone.`,
  },
  delete_app: {
    title: () => 'Delete an app?',
    wants: () => 'wants to delete an app and all its grants. The app loses its access immediately.',
  },
  accept_older: {
    title: () => 'Continue with an older copy of the vault?',
    wants: () =>
      'wants Tokenry to use this older copy of the vault. A provider may revoke a connection when Tokenry sends an outdated refresh token. Restore the newest copy instead if you have it.',
  },
  write_slots: {
    title: () => 'Change how the vault is unlocked?',
    wants: () => 'wants to change what unlocks your vault. Allow this only if you just asked for it.',
  },
  cut_off: {
    title: (prompt) => `Cut off ${prompt.connection ?? 'access'}?`,
    wants: () => 'wants to end grants and permissions and to revoke tokens. You may have to sign in again.',
  },
  salvage_vault: {
    title: () => 'Copy the vault into a new profile?',
    wants: () =>
      'wants to copy every secret that still opens into a new vault. Allow this only if you just ran `tokenry vault salvage`.',
  },
  write_apps: {
    title: () => 'Change what apps may do?',
    wants: () => 'wants to register an app or to change what an app may do.',
  },
  hand_over: {
    title: () => 'Replace the running Tokenry?',
    wants: () => 'wants to take over from the running Tokenry. Allow this only if you just started Tokenry.',
  },
  auto_lock: {
    title: () => 'Change when the vault locks?',
    wants: () => 'wants to change when the vault locks, or what apps get while it is locked.',
  },
  backup: {
    title: () => 'Write a backup?',
    wants: () =>
      'wants to write all providers, connections and credentials with their secrets into an encrypted file. Allow this only if you just started a backup.',
  },
  restore: {
    title: () => 'Restore a backup?',
    wants: () => 'wants to add the contents of a backup to this vault. Allow this only if you just started a restore.',
  },
  authorize_app: {
    title: (_, requester) => `Let ${requester} use Tokenry?`,
    wants: () => 'wants access to your connections. Select what it may use.',
  },
};

/** For an operation that this window does not know. */
const unknown: Question = {
  title: () => 'Allow this request?',
  wants: () => 'requests something that this window does not know. Deny it.',
};

/** The settings and facts of a change, by their names in the API. Others are shown by these names. */
const fields: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(settings).map(([name, { label }]) => [name, label])),
  name: 'Name',
  client_secret: 'Client secret',
  label: 'Label',
  paused: 'Paused',
  scope: 'Scope',
  connection: 'Connection',
  credential: 'Credential',
  app: 'App',
  type: 'Type',
  redact_fields: 'Write-only fields',
  expires_at: 'Expires',
  redirect_uris: 'Redirect URIs',
  public: 'Public client',
  token_scopes: 'Scopes limited to',
  while_locked: 'While the vault is locked',
  idle_minutes: 'Lock when idle (minutes)',
  screen_lock: 'Lock with the screen',
  suspend: 'Lock at suspend',
  user_switch: 'Lock at user switch',
  tokens_while_locked: 'Tokens while locked',
  owner: 'Belongs to',
  acr_values: 'Kind of sign-in',
  max_age: 'Signed in within (seconds)',
  allow_further: 'Another account',
  account: 'Account',
  project: 'Project',
  refresh_token: 'Refresh token',
  folder: 'Folder',
};

export const consent = {
  operation,
  unknown,
  fields,
  aProgram: 'A program',

  requestedBy: 'Requested by',
  program: 'Program',
  command: 'Command',
  helper: 'Through',
  parent: 'Parent process',
  terminal: 'Terminal',
  process: 'Process ID',
  app: 'App',
  verified: 'verified',
  unverified: 'unverified',
  unknownValue: 'unknown',
  pathNotVerified: 'Not verified: a different program could show this path.',
  nameNotVerified:
    'Not verified: any program can use this name. Allow this only if you started this sign-in and the redirect URI belongs to that app.',

  access: 'Access',
  connection: 'Connection',
  provider: 'Provider',
  credential: 'Credential',
  account: 'Account',
  requestedScopes: 'Requested scopes',
  scopes: 'Scopes',
  allScopes: 'all scopes of the connection',
  moreScopes: 'The token has more scopes than requested:',
  field: 'Setting',
  before: 'Before',
  after: 'After',
  none: 'none',
  hidden: 'hidden',
  set: 'set (hidden)',
  changed: 'changed (hidden)',
  removed: 'removed',
  disconnects: 'Disconnects',
  redirectUri: 'Redirect URI',
  permissions: 'It will be able to',
  connections: 'Connections',
  noConnections: 'No connections yet.',
  chooseConnection: 'Select at least one connection.',
  credentials: 'Credentials',
  noCredentials: 'No credentials yet.',
  chooseCredential: 'Select at least one credential.',
  expires: 'Expires',
  expiries: grantExpiries,

  duration: 'Duration',
  once: 'Once: this request only.',
  session: 'Session: the same request from this terminal or login; ends after 10 min unused, 12 h, or lock.',

  passphrase: 'Passphrase',
  passphraseHint: 'Your settings require it for this request.',
  passphraseFirst: 'Enter your passphrase to allow this.',

  deny: 'Deny',
  allowOnce: 'Allow once',
  allowSession: 'Allow for this session',
  allow: 'Allow',
  left: (seconds: number) => `Denied automatically in ${seconds} s.`,
  over: 'Denied: no answer in time.',
  waiting: (n: number) => `${n} more waiting`,
  nothing: 'No open requests.',
  failed: 'Could not send your answer. Try again, or repeat the request.',
};
