/** The list of providers, connections and credentials. */
import { count } from './common';

export const providers = {
  title: 'Providers',
  add: 'Add provider',
  filter: 'Search providers and connections',
  emptyTitle: 'No providers yet',
  empty:
    'A provider is a service that you sign in to, such as GitHub. Register an OAuth client there, add the provider here, then connect an account. Tokenry encrypts the tokens on this computer and refreshes them.',
  restore: 'Restore a backup',
  connect: 'Connect',
  connectAnother: 'Connect another account',
  edit: (name: string) => `Edit ${name}`,
  noConnections: 'Not connected.',
  list: 'Providers and connections',
  loading: 'Loading connections…',
  notLoaded: 'Could not load the connections',
  connections: (n: number) => count(n, 'connection', 'connections'),
};
