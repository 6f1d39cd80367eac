/** Every text of the consent window. A second language is a second table of the same type. */
import type { Prompt, PromptOperation } from '../lib/types';

interface Asked {
  title: string | ((prompt: Prompt) => string);
  /** What follows the name of who asks. */
  wants: (prompt: Prompt) => string;
}

const it = (prompt: Prompt) => prompt.connection ?? prompt.provider ?? 'a connection';
const connection = (prompt: Prompt) => (prompt.account ? `${it(prompt)} (${prompt.account})` : it(prompt));
const provider = (prompt: Prompt) => prompt.provider ?? 'a provider';
const credential = (prompt: Prompt) => prompt.credential ?? 'credentials';
const disconnects = ({ disconnects: n }: Prompt) =>
  n > 0 ? ` and disconnect ${n === 1 ? 'its connection' : `its ${n} connections`}` : '';

const operation: Record<PromptOperation, Asked> = {
  token: {
    title: 'Hand out an access token?',
    wants: (prompt) => `wants an access token of ${connection(prompt)}, and can act there in your name with it.`,
  },
  start_flow: {
    title: 'Start a sign-in?',
    wants: (prompt) => `wants to open the browser at ${provider(prompt)}, for you to connect an account.`,
  },
  finish_flow: {
    title: 'End a sign-in that another program started?',
    wants: (prompt) =>
      `wants to end the sign-in at ${provider(prompt)}, which it did not start. Allow it only if you asked for that.`,
  },
  refresh: { title: 'Refresh now?', wants: (prompt) => `wants fresh tokens for ${connection(prompt)}.` },
  disconnect: {
    title: 'Disconnect?',
    wants: (prompt) => `wants to disconnect ${connection(prompt)}. Its tokens are deleted from this machine.`,
  },
  write_connection: {
    title: 'Change a connection?',
    wants: (prompt) => `wants to change ${connection(prompt)}.`,
  },
  write_providers: {
    title: 'Change providers?',
    wants: (prompt) => (prompt.provider ? `wants to change ${provider(prompt)}.` : 'wants to add a provider.'),
  },
  delete_provider: {
    title: (prompt) => `Delete provider ${provider(prompt)}${disconnects(prompt)}?`,
    wants: (prompt) =>
      `wants to delete ${provider(prompt)}${disconnects(prompt)}. Programs that use it get no token any more, and this cannot be undone.`,
  },
  move_endpoint: {
    title: 'Change where secrets go?',
    wants: (prompt) => `wants to change where the secrets of ${provider(prompt)} go, or how they are protected.`,
  },
  read_credential: {
    title: 'Hand out a credential?',
    wants: (prompt) => `wants the values of ${credential(prompt)}.`,
  },
  write_credentials: {
    title: 'Change credentials?',
    wants: (prompt) => `wants to change ${credential(prompt)}.`,
  },
  delete_credential: {
    title: (prompt) => `Delete ${prompt.credential ? `credential ${prompt.credential}` : 'a credential'}?`,
    wants: (prompt) => `wants to delete ${credential(prompt)}. This cannot be undone.`,
  },
  delete_app: {
    title: 'Remove an app?',
    wants: () => 'wants to remove an app with all its grants. What the app was given ends at once.',
  },
  accept_older: {
    title: 'Go on with an older copy of the vault?',
    wants: () =>
      'wants Tokenry to refresh from an older copy of its vault. A provider that sees a replaced token may end that sign-in.',
  },
  write_apps: { title: 'Change what apps may do?', wants: () => 'wants to change which apps may use Tokenry.' },
  hand_over: {
    title: 'End the engine?',
    wants: () =>
      'wants the engine to end and to take its router. Allow it only if you are starting Tokenry’s window or another engine.',
  },
  authorize_app: { title: 'Let an app use Tokenry?', wants: () => 'wants to use Tokenry as one of your apps.' },
};

export const titleOf = ({ title }: Asked, prompt: Prompt): string =>
  typeof title === 'string' ? title : title(prompt);

export const words = {
  operation,
  /** An operation that is newer than this window. */
  unknown: { title: 'Allow this?', wants: () => 'wants something that this window cannot name. Deny it.' } as Asked,
  aProgram: 'A program',

  who: 'Who asks',
  program: 'Program',
  arguments: 'Started with',
  parent: 'Started by',
  terminal: 'Terminal',
  process: 'Process',
  app: 'App',
  proved: 'proved by its own token',
  notProved: 'it says so, and has not proved it',
  unknownValue: 'not known',
  label: 'The path is a label, not a proof: another program may call itself the same.',
  labelApp: 'Nothing proves the name: another program may use it, too. Look at where the code goes.',

  what: 'What it gets',
  connection: 'Connection',
  provider: 'Provider',
  credential: 'Credential',
  account: 'Account',
  requested: 'Asked for',
  can: 'The token can',
  everything: 'whatever the connection may do',
  more: 'The token can do more than was asked for:',
  field: 'What changes',
  before: 'Before',
  after: 'After',
  nothingBefore: 'nothing',
  hidden: 'not shown',
  isSet: 'is set, not shown',
  changes: 'changes, not shown',
  removed: 'is removed',
  disconnecting: 'Disconnects',
  /** Fields by the words of the forms; any other by its own name. */
  fields: {
    name: 'Name',
    display_name: 'Display name',
    grant_type: 'Grant type',
    issuer: 'Issuer',
    issuer_aliases: 'Other issuers',
    authorization_endpoint: 'Authorization endpoint',
    token_endpoint: 'Token endpoint',
    refresh_endpoint: 'Refresh endpoint',
    revocation_endpoint: 'Revocation endpoint',
    userinfo_endpoint: 'Userinfo endpoint',
    client_id: 'Client id',
    client_secret: 'Client secret',
    token_endpoint_auth_method: 'Client authentication',
    default_scopes: 'Scopes',
    scope_separator: 'Scope separator',
    use_pkce: 'PKCE',
    authorize_params: 'Authorization parameters',
    redirect: 'Redirect',
    authorization_response_iss_parameter_supported: 'Checks the issuer of answers',
    rotation: 'Refresh token rotation',
    narrowing: 'Narrowing',
    label: 'Label',
    paused: 'Paused',
    scope: 'Scope',
    connection: 'Connection',
    credential: 'Credential',
    app: 'App',
    type: 'Type',
    redact_fields: 'Redacted fields',
    expires_at: 'Ends',
    'belongs to': 'Belongs to',
    'another account': 'Another account',
    'codes go to': 'Codes go to',
    'proves itself': 'Proves itself',
    'tokens limited to': 'Tokens limited to',
  } as Readonly<Record<string, string>>,
  notes: 'To know first',
  redirect: 'Code goes to',
  mayDo: 'It may then',
  connections: 'With these connections',
  noConnections: 'There is no connection yet that it could use.',
  chooseConnection: 'Tick at least one connection to allow it.',
  credentials: 'With these credentials',
  noCredentials: 'There is no credential yet that it could use.',
  chooseCredential: 'Tick at least one credential to allow it.',
  until: 'Until',
  untils: { forever: 'I take it away', month: '30 days from now', day: 'Tomorrow, in 24 hours' },

  howLong: 'How long',
  once: 'Once allows this one request.',
  session:
    'For this session also allows the same again from where it runs, until 10 minutes go by without, 12 hours are over, or Tokenry locks.',

  passphrase: 'Passphrase',
  passphraseHint: 'Your settings demand it for this.',
  passphraseFirst: 'Type the passphrase to allow it.',

  deny: 'Deny',
  allowOnce: 'Allow once',
  allowSession: 'Allow for this session',
  allow: 'Allow',
  left: (seconds: number) => `No answer in ${seconds} s is a no.`,
  over: 'Time is over.',
  waiting: (n: number) => (n === 1 ? '1 more is waiting' : `${n} more are waiting`),
  nothing: 'There is nothing to answer.',
  failed: 'Your answer was not taken. Try again.',
  keys: 'Escape denies.',
};
