/** The form of a provider. */
import type { AuthMethod, GrantType, NarrowingMethod, ProviderSettings, Redirect, Rotation } from '../../types';
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
  redirectText: 'Add this redirect URI to your client registration, exactly as shown.',
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
  otherSeparator: (separator: string) => `“${separator}”`,
  authMethod,
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
