/** The form of a provider. */
import type { AuthMethod, GrantType, NarrowingMethod, Redirect, Rotation } from '../../types';
import { count, nameRule } from './common';

const grantType: Record<GrantType, string> = {
  authorization_code: 'User sign-in',
  client_credentials: 'Service account',
};

const grantTypeHint: Record<GrantType, string> = {
  authorization_code: 'Authorization code: you sign in in the browser. Each account is a connection.',
  client_credentials: 'Client credentials: no browser, only the client ID and secret.',
};

const authMethod: Record<AuthMethod, string> = {
  client_secret_post: 'Request body (client_secret_post)',
  client_secret_basic: 'Basic header (client_secret_basic)',
  none: 'None (public client)',
};

const redirect: Record<Redirect, string> = {
  loopback: 'Loopback (127.0.0.1)',
  deep_link: 'Custom URL scheme',
  paste: 'Paste the redirect URL',
};

const rotation: Record<Rotation['kind'], string> = {
  unknown: 'Unknown',
  none: 'Not rotated',
  grace: 'Rotated with grace period',
  strict: 'Rotated, reuse revokes',
};

const narrowing: Record<NarrowingMethod, string> = {
  unknown: 'Refresh request, unless refresh tokens are rotated',
  refresh: 'Refresh request',
  exchange: 'Token exchange (RFC 8693)',
  none: 'Not supported',
};

const separators: Record<string, string> = {
  ' ': 'Space',
  ',': 'Comma',
  ', ': 'Comma and space',
  '+': 'Plus sign',
};

export const providerForm = {
  addTitle: 'Add provider',
  editTitle: (name: string) => `Edit ${name}`,
  back: 'Back to providers',
  unsavedTitle: 'Discard changes?',
  unsaved: 'This form has unsaved changes.',
  keep: 'Keep editing',
  discard: 'Discard changes',
  registration: 'Client registration',
  endpoints: 'Endpoints',
  redirectTitle: 'Redirect',
  redirectText: 'Add this redirect URI to your app registration, exactly as shown.',
  redirectPort: 'If the provider insists on a port, enter any; Tokenry picks a free one.',
  redirectEmpty: 'Enter a name to get the redirect URI.',
  advanced: 'Advanced',
  saved: (name: string) => `Saved ${name}.`,
  added: (name: string) => `Added ${name}. Connect an account to use it.`,
  errorSummary: (n: number) => `Fix ${count(n, 'field', 'fields')} to save.`,
  delete: 'Delete provider',
  secretStored: 'A client secret is stored. It can’t be displayed.',
  secretReplace: 'Replace',
  secretClear: 'Remove',
  secretWillClear: 'The client secret is removed when you save.',
  secretKeep: 'Keep the secret',
  gracePeriod: 'Grace period (seconds)',
  methodAuto: 'Automatic',
  otherSeparator: (separator: string) => `“${separator}”`,
  authMethod,
  grantType,
  grantTypeHint,
  narrowing,
  redirect,
  rotation,
  separators,
  examples: {
    authorization_endpoint: 'https://provider.example/authorize',
    token_endpoint: 'https://provider.example/token',
    default_scopes: 'openid email offline_access',
    project: 'default',
  },
  fields: {
    name: 'Name',
    display_name: 'Display name',
    project: 'Project (namespace)',
    grant_type: 'Grant type',
    client_id: 'Client ID',
    client_secret: 'Client secret',
    issuer: 'Issuer',
    authorization_endpoint: 'Authorization endpoint',
    token_endpoint: 'Token endpoint',
    refresh_endpoint: 'Refresh endpoint',
    revocation_endpoint: 'Revocation endpoint',
    userinfo_endpoint: 'Userinfo endpoint',
    token_endpoint_auth_method: 'Client authentication',
    default_scopes: 'Scopes',
    scope_separator: 'Scope separator',
    use_pkce: 'Use PKCE (S256)',
    authorize_params: 'Extra authorization parameters',
    redirect: 'Redirect method',
    authorization_response_iss_parameter_supported: 'Require iss in the response (RFC 9207)',
    rotation: 'Refresh token rotation',
    narrowing: 'Tokens with fewer scopes',
  },
  hints: {
    name: 'For programs, for example my-provider.',
    display_name: 'For you, for example My Provider.',
    project: 'Names are unique within a project.',
    client_id: 'From your app registration at the provider.',
    client_secret: 'Encrypted on this computer. Leave empty for a public client.',
    issuer: 'Checked against iss in the provider’s responses.',
    userinfo_endpoint: 'Used to show the account.',
    revocation_endpoint: 'Used to revoke tokens on disconnect.',
    refresh_endpoint: 'Only if different from the token endpoint.',
    default_scopes: 'Separated by spaces.',
    scope_separator: 'Usually a space.',
    use_pkce: 'Turn off only if the provider rejects it.',
    authorize_params: 'One per line, for example prompt=consent.',
    authorization_response_iss_parameter_supported: 'Responses without it are rejected.',
    rotation: 'Decides whether a failed refresh may be retried.',
    narrowing: 'How the provider issues them. A wrong setting can lose scopes.',
  },
  problems: {
    name: nameRule,
    needTokenEndpoint: 'Enter the token endpoint URL.',
    needAuthorizationEndpoint: 'Enter the authorization endpoint URL.',
    endpointCarries: (key: string) => `must not carry ${key}, which Tokenry sets itself`,
    clientId: 'Enter the client ID.',
    clientSecret: 'must be at most 16384 bytes',
    needClientSecret: 'Enter the client secret.',
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
};

export const removeProviderDialog = {
  title: (name: string) => `Delete ${name}?`,
  text: 'The provider and its client registration are deleted from this computer.',
  connections: (n: number) =>
    `${n === 1 ? 'Its connection is' : `Its ${n} connections are`} disconnected first, and the tokens are revoked at the provider.`,
  go: 'Delete provider',
  goAll: (n: number) => `Disconnect ${n === 1 ? 'it' : `all ${n}`} and delete`,
  done: (name: string) => `Deleted ${name}.`,
};
