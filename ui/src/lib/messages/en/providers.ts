/** The list of providers, connections and credentials. */
import { count } from './common';

export const providers = {
  title: 'Providers',
  add: 'Add provider',
  filter: 'Search providers and connections',
  emptyTitle: 'No providers yet',
  empty:
    'A provider is a service that you sign in to, such as GitHub or your company’s own server. Add one and connect an account: Tokenry keeps its tokens fresh, encrypted on this computer.',
  connect: 'Connect',
  connectAnother: 'Connect another account',
  edit: (name: string) => `Edit ${name}`,
  noConnections: 'Not connected.',
  list: 'Providers and connections',
  loading: 'Loading connections…',
  notLoaded: 'Could not load the connections',
  connections: (n: number) => count(n, 'connection', 'connections'),
};
