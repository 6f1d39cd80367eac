/** Apps and their grants. */
/** When a grant expires. */
export type GrantExpiry = 'forever' | 'month' | 'day';

export const grantExpiries: Record<GrantExpiry, string> = {
  forever: 'Never',
  month: 'In 30 days',
  day: 'In 24 hours',
};

export const apps = {
  title: 'Apps',
  register: 'Register app',
  filter: 'Search apps',
  emptyTitle: 'No apps yet',
  empty:
    'An app is a program that you register. It has its own token, and grants that say what it may do without asking. For any other program, Tokenry asks you.',
  id: 'Client ID',
  copyId: (name: string) => `Copy the client ID of ${name}`,
  redirects: 'Redirect URIs',
  noRedirects: 'none (OAuth sign-in off)',
  publicApp: 'Public',
  publicHint: 'It has no token of its own. You allow each sign-in.',
  used: 'Last used',
  noGrants: 'No grants. All its requests are denied until you grant access.',
  grantAccess: 'Grant access',
  grantAccessTo: (name: string) => `Grant access: ${name}`,
  remove: (name: string) => `Delete ${name}`,

  grant: {
    title: (scopes: string) => `Grant: ${scopes}`,
    connections: 'Connections',
    credentials: 'Credentials',
    limit: 'Limited to',
    whileLocked: 'While locked',
    whileLockedYes: 'valid tokens',
    expires: 'Expires',
    never: 'never',
    expired: 'expired',
    removed: 'removed',
    revoke: 'Revoke',
    revokeFrom: (name: string) => `Revoke grant of ${name}`,
  },

  registerDialog: {
    title: 'Register app',
    text: 'The app gets a client ID and a token. It can’t do anything yet: grant access next.',
    name: 'Name',
    nameHint: 'For example release-notes.',
    redirects: 'Redirect URIs',
    redirectsHint: 'One per line. Only for apps that sign in to Tokenry with OAuth. On 127.0.0.1, any port matches.',
    redirectsExample: 'http://127.0.0.1/callback',
    public: 'Public client',
    publicHint: 'For programs that can’t keep a secret. It has no token of its own.',
    go: 'Register',
    done: (name: string) => `Registered ${name}`,
    token:
      'Its token is on the clipboard for 45 seconds and can’t be displayed again. Paste it into the app’s configuration now.',
    noToken: 'A public client has no token of its own.',
  },

  grantDialog: {
    title: (name: string) => `Grant access to ${name}`,
    scopes: 'Permissions',
    connections: 'Connections',
    credentials: 'Credentials',
    noConnections: 'No connections yet.',
    noCredentials: 'No credentials yet.',
    limit: 'Limit provider scopes to',
    limitHint: 'Scopes at the provider, separated by spaces. Empty: no limit.',
    whileLocked: 'Also while locked',
    whileLockedHint: 'While the vault is locked, the app gets access tokens that are still valid.',
    expires: 'Expires',
    expiries: grantExpiries,
    go: 'Grant',
    done: (name: string) => `Granted access to ${name}.`,
    needScope: 'Select at least one permission.',
    needConnection: 'Select at least one connection.',
    needCredential: 'Select at least one credential.',
  },

  revokeDialog: {
    title: (name: string) => `Revoke this grant of ${name}?`,
    text: 'The app loses this access immediately.',
    go: 'Revoke',
    done: (name: string) => `Revoked the grant of ${name}.`,
  },

  removeDialog: {
    title: (name: string) => `Delete ${name}?`,
    text: 'The app’s token and grants stop working immediately.',
    go: 'Delete app',
    done: (name: string) => `Deleted ${name}.`,
  },

  choices: {
    find: 'Search',
    more: (n: number) => `${n} more: search to find them`,
  },
};
