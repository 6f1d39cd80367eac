/** The texts of the apps and their grants. */
const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

export const apps = {
  title: 'Apps',
  register: 'Register app',
  filter: 'Filter apps',
  none: 'No app fits this filter.',
  emptyTitle: 'No apps yet',
  empty:
    'An app is a program that you know: it gets a token of its own, and grants that say what it may do without asking you each time. Programs that are no app ask you in a window of their own.',
  id: 'Client id',
  copyId: (name: string) => `Copy the client id of ${name}`,
  redirects: 'Codes go to',
  noRedirects: 'no address: it cannot use the sign-in in the browser',
  publicApp: 'Public',
  publicHint: 'It has no token of its own, and asks you every time anew.',
  used: 'Last used',
  notUsed: 'never',
  noGrants: 'No grants: it may do nothing without asking.',
  give: 'Give a grant',
  giveTo: (name: string) => `Give a grant: ${name}`,
  remove: (name: string) => `Remove ${name}`,
  grants: (n: number) => count(n, 'grant', 'grants'),

  grant: {
    title: (scopes: string) => `Grant of ${scopes}`,
    connections: 'Connections',
    credentials: 'Credentials',
    limit: 'At most',
    until: 'Until',
    forever: 'you take it away',
    ended: 'over',
    gone: 'one that is no longer there',
    take: 'Take away',
    takeFrom: (name: string) => `Take away from ${name}`,
  },

  registerDialog: {
    title: 'Register an app',
    text: 'It gets a client id and a token of its own. By itself it may do nothing: give it a grant next.',
    name: 'Name',
    nameHint: 'Like release-notes.',
    redirects: 'Where codes may be sent',
    redirectsHint:
      'One address per line, and only for programs that use the sign-in in the browser. On 127.0.0.1 any port will do.',
    public: 'A public app',
    publicHint: 'Without a token of its own, for programs that cannot keep one.',
    go: 'Register',
    done: (name: string) => `${name} is registered`,
    token:
      'Its token is on the clipboard, and is cleared from there in 45 seconds. It is not shown again: paste it where the app keeps it.',
    noToken: 'It is a public app and has no token of its own.',
    needName:
      'must be 1 to 64 lower-case letters, digits and single hyphens, starting with a letter, like release-notes',
  },

  grantDialog: {
    title: (name: string) => `Give ${name} a grant`,
    scopes: 'What it may do',
    connections: 'With these connections',
    credentials: 'With these credentials',
    noConnections: 'There is no connection yet.',
    noCredentials: 'There is no credential yet.',
    find: 'Find',
    more: (n: number) => `${n} more: type to find them`,
    limit: 'The most a token may do at its provider',
    limitHint: 'Scopes, separated by spaces. Empty: whatever the connection may do.',
    until: 'Until',
    untils: { forever: 'I take it away', month: '30 days from now', day: 'Tomorrow, in 24 hours' },
    go: 'Give',
    done: (name: string) => `${name} has a new grant.`,
    needScope: 'Tick at least one.',
    needConnection: 'Tick at least one connection: what is ticked above is about connections.',
    needCredential: 'Tick at least one credential.',
  },

  takeDialog: {
    title: (name: string) => `Take this grant from ${name}?`,
    text: 'Its next call for any of this is refused.',
    go: 'Take away',
    done: (name: string) => `The grant was taken from ${name}.`,
  },

  removeDialog: {
    title: (name: string) => `Remove ${name}?`,
    text: 'Its token and its grants are good for nothing from then on.',
    go: 'Remove app',
    done: (name: string) => `${name} was removed.`,
  },
};
