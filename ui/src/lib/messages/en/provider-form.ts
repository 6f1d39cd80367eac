/** The form of a provider. */
import type { ADVANCED } from '../../form/settings';
import type {
  AccountSource,
  AuthMethod,
  BodyFormat,
  DeepLinkForm,
  GrantType,
  HttpMethod,
  LoopbackHost,
  NarrowingMethod,
  ProviderSettings,
  Redirect,
  RevocationMethod,
  Rotation,
} from '../../types';
import { count } from './common';

const grantType: Record<GrantType, string> = {
  authorization_code: 'User sign-in (authorization code)',
  client_credentials: 'Service account (client credentials)',
};

const grantTypeHint: Record<GrantType, string> = {
  authorization_code: 'You sign in with your browser. Each account is a connection.',
  client_credentials: 'No browser, only the client ID and the client secret.',
};

const authMethod: Record<AuthMethod, string> = {
  automatic: 'Found at the first sign-in',
  client_secret_post: 'Request body (client_secret_post)',
  client_secret_basic: 'Basic header (client_secret_basic)',
  none: 'None (public client)',
  client_secret_jwt: 'JWT signed with the secret (client_secret_jwt)',
  private_key_jwt: 'JWT signed with a key (private_key_jwt)',
  secret_as_user_name: 'Basic header, secret as user name',
};

const bodyFormat: Record<BodyFormat, string> = { form: 'Form', json: 'JSON' };

const httpMethod: Record<HttpMethod, string> = { get: 'GET', post: 'POST' };

const loopbackHost: Record<LoopbackHost, string> = {
  '127.0.0.1': '127.0.0.1',
  '[::1]': '[::1]',
  localhost: 'localhost',
};

const deepLinkForm: Record<DeepLinkForm, string> = {
  single_slash: 'scheme:/path',
  double_slash: 'scheme://host/path',
};

const revocationMethod: Record<RevocationMethod, string> = {
  rfc7009: 'Standard (RFC 7009)',
  bearer: 'POST with the token as bearer',
  delete: 'DELETE with the token in the body',
  parameters: 'Only the parameters below',
};

const accountSource: Record<AccountSource, string> = {
  automatic: 'Automatic',
  userinfo: 'Userinfo endpoint',
  token_response: 'Token response',
  introspection: 'Introspection endpoint',
};

const sections: Record<(typeof ADVANCED)[number], string> = {
  addresses: 'More addresses',
  client: 'Client and scopes',
  requests: 'Requests',
  responses: 'Responses and account',
  refreshing: 'Refresh and revocation',
  redirects: 'Redirect details',
  security: 'Security',
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
  unknown: 'Automatic',
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

interface SettingText {
  label: string;
  hint?: string;
  /** Stands in the empty field. */
  example?: string;
}

/** The settings of a provider. The consent window uses these labels, too. */
export const settings: Record<keyof ProviderSettings, SettingText> = {
  display_name: { label: 'Display name', hint: 'For you, for example My Provider.' },
  grant_type: { label: 'Grant type' },
  client_id: { label: 'Client ID', hint: 'From your client registration at the provider.' },
  authorization_endpoint: { label: 'Authorization endpoint', example: 'https://provider.example/authorize' },
  token_endpoint: { label: 'Token endpoint', example: 'https://provider.example/token' },
  default_scopes: { label: 'Scopes', hint: 'Separated by spaces.', example: 'openid email offline_access' },
  redirect: { label: 'Redirect method' },
  issuer: { label: 'Issuer', hint: 'Checked against iss in the provider’s responses.' },
  issuer_aliases: { label: 'Other issuers', hint: 'Also accepted as iss. Separated by spaces.' },
  userinfo_endpoint: { label: 'Userinfo endpoint', hint: 'Used to show the account.' },
  revocation_endpoint: { label: 'Revocation endpoint', hint: 'Used to revoke tokens on disconnect.' },
  refresh_endpoint: { label: 'Refresh endpoint', hint: 'Only if different from the token endpoint.' },
  token_endpoint_auth_method: { label: 'Client authentication', hint: 'How the client secret is sent.' },
  scope_separator: { label: 'Scope separator', hint: 'Usually a space.' },
  rotation: { label: 'Refresh token rotation', hint: 'Decides whether a failed refresh may be retried.' },
  narrowing: {
    label: 'Tokens with fewer scopes',
    hint: 'How the provider issues them. A wrong setting can lose scopes.',
  },
  authorize_params: { label: 'Extra authorization parameters', hint: 'One per line, for example prompt=consent.' },
  device_authorization_endpoint: {
    label: 'Device authorization endpoint',
    hint: 'For sign-in with a code on another device.',
  },
  pushed_authorization_request_endpoint: {
    label: 'Pushed authorization request endpoint',
    hint: 'Keeps the parameters of a sign-in out of the browser.',
  },
  require_pushed_authorization_requests: { label: 'Require pushed authorization requests (RFC 9126)' },
  introspection_endpoint: { label: 'Introspection endpoint', hint: 'Only used to show the account.' },
  registration_endpoint: { label: 'Registration endpoint', hint: 'Where Tokenry can register itself.' },
  jwks_uri: { label: 'Key set (JWKS) URL', hint: 'The keys that sign ID tokens.' },
  docs_url: { label: 'Documentation' },
  register_url: { label: 'Registration page', hint: 'Where you register a client by hand.' },
  raw_scope: { label: 'Don’t encode the scopes', hint: 'Only if the provider rejects encoded scopes.' },
  offline_scope: { label: 'Scope for a refresh token', hint: 'Added to each sign-in, for example offline_access.' },
  prompt_consent_for_offline_access: {
    label: 'Send prompt=consent with offline_access',
    hint: 'Many providers give no refresh token without it.',
  },
  resource: { label: 'Resource (RFC 8707)', hint: 'The server that tokens are for.' },
  resource_on_refresh: { label: 'Send the resource with a refresh, too' },
  always_send_nonce: { label: 'Always send a nonce', hint: 'Also without the scope openid.' },
  authorize_fragment: { label: 'Fragment of the sign-in address', hint: 'For sign-in pages that need one.' },
  token_params: { label: 'Extra code exchange parameters', hint: 'One per line: name=value.' },
  refresh_method: { label: 'Method of the refresh request' },
  refresh_params: { label: 'Extra refresh parameters', hint: 'One per line: name=value.' },
  token_headers: { label: 'Extra headers', hint: 'One per line: name=value. No secrets.' },
  token_body_format: { label: 'Body of token requests' },
  param_names: { label: 'Renamed parameters', hint: 'One per line: standard name=provider’s name.' },
  exchange_step: { label: 'Second exchange after the code', hint: 'As JSON: endpoint, method, params.' },
  code_param: { label: 'Name of the code parameter', hint: 'In the provider’s response. Usually code.' },
  token_response_paths: {
    label: 'Places in the token response',
    hint: 'One per line, for example access_token=authed_user.access_token.',
  },
  default_expires_in: { label: 'Default token lifetime (seconds)', hint: 'If the response doesn’t say.' },
  expiry_from_jwt: { label: 'Read the expiry from the access token', hint: 'Only if it is a JWT.' },
  captures: {
    label: 'Values to keep',
    hint: 'One per line, for example realm=callback.realmId. Use {realm} in endpoints.',
  },
  captured_hosts: { label: 'Hosts that kept values may name', hint: 'Separated by spaces, for example *.example.com.' },
  account_source: { label: 'Source of the account' },
  account_paths: { label: 'Places of the account', hint: 'One per line: id, name, email or picture=path.' },
  userinfo_method: { label: 'Method of the userinfo request' },
  refresh_token_expires_in: {
    label: 'Refresh token lifetime (seconds)',
    hint: 'Used to warn before you have to sign in again.',
  },
  refresh_token_renews: { label: 'Each refresh starts this lifetime again' },
  refresh_leeway: { label: 'Refresh early by (seconds)', hint: 'Leave empty for automatic.' },
  revocation_method: { label: 'Revocation' },
  revocation_params: { label: 'Extra revocation parameters', hint: 'One per line: name=value.' },
  loopback_host: { label: 'Loopback host' },
  loopback_ports: { label: 'Loopback ports', hint: 'The first free one is used. Separated by spaces.' },
  loopback_any_port: { label: 'The provider accepts any port' },
  redirect_path: { label: 'Redirect path', hint: 'Leave empty for the usual one.' },
  deep_link_form: { label: 'Form of the custom URL' },
  redirect_uri: { label: 'Own redirect URI', hint: 'For sign-ins where you paste the address.' },
  dpop: { label: 'Bind tokens to a key (DPoP)', hint: 'Programs need a proof for each request.' },
  id_token_signing_algs: { label: 'ID token algorithms', hint: 'Separated by spaces. Leave empty for the usual ones.' },
  ca_file: {
    label: 'CA certificate file',
    hint: 'PEM, for a private certificate authority. Trusted besides the system’s CAs, at this provider only.',
  },
  allow_private_http: {
    label: 'Allow http in the local network',
    hint: 'Without encryption, everybody in this network can read your passwords, secrets and tokens.',
  },
  use_pkce: { label: 'Use PKCE (S256)', hint: 'Turn off only if the provider rejects it.' },
  authorization_response_iss_parameter_supported: {
    label: 'Require iss in the response (RFC 9207)',
    hint: 'Responses without it are rejected.',
  },
};

type Problems = Partial<Record<keyof ProviderSettings, string>>;

const required: Problems = {
  client_id: 'Enter the client ID.',
  authorization_endpoint: 'Enter the authorization endpoint URL.',
  token_endpoint: 'Enter the token endpoint URL.',
};

const unreadable: Problems = {
  authorize_params: 'Use name=value on each line.',
  rotation: 'Enter the grace period in whole seconds.',
  token_params: 'Use name=value on each line.',
  refresh_params: 'Use name=value on each line.',
  token_headers: 'Use name=value on each line.',
  param_names: 'Use name=value on each line.',
  token_response_paths: 'Use name=path on each line.',
  captures: 'Use name=path on each line.',
  account_paths: 'Use name=path on each line.',
  revocation_params: 'Use name=value on each line.',
  exchange_step: 'Enter a JSON object.',
  default_expires_in: 'Enter whole seconds.',
  refresh_token_expires_in: 'Enter whole seconds.',
  refresh_leeway: 'Enter whole seconds.',
  loopback_ports: 'Enter port numbers.',
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
  publicKeyTitle: 'Public key',
  publicKeyText: 'Register this key (JWKS) for the client at the provider. The private key stays in the vault.',
  publicKeyEmpty: 'Save the provider, then open it again to get the key to register.',
  redirectTitle: 'Redirect',
  redirectText: 'Add this redirect URI to your client registration, exactly as shown.',
  redirectRegistered: 'Tokenry registered this redirect URI itself.',
  redirectOthers: 'If the provider takes several, add these, too. They are used when that port is taken.',
  redirectLater: 'When you save, Tokenry chooses the redirect URI and shows it for your client registration.',
  redirectChanges: 'Changes in this form may change it: look at it again when you have saved.',
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
  otherSeparator: (separator: string) => `“${separator}”`,
  sections,
  accountSource,
  authMethod,
  bodyFormat,
  deepLinkForm,
  httpMethod,
  loopbackHost,
  revocationMethod,
  grantType,
  grantTypeHint,
  narrowing,
  redirect,
  rotation,
  separators,
  name: 'Name',
  nameHint: 'For programs, for example my-provider.',
  project: 'Project (namespace)',
  projectHint: 'Names are unique within a project.',
  projectExample: 'default',
  secret: 'Client secret',
  secretHint: 'Encrypted on this computer. Leave empty for a public client.',
  secretRequired: 'Enter the client secret.',
  settings,
  required,
  unreadable,
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
