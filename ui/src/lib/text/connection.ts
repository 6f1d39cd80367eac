import type { Connection } from '../types';

/** Whose account it is, in the words that say most: address, name, or what the provider calls it. */
export function who(connection: Connection): string | undefined {
  const { account } = connection;
  return account?.display_name;
}
