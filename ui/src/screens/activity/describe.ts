import type { Tokenry } from '../../lib/state/tokenry.svelte';
import { who } from '../../lib/text/connection';
import type { Event } from '../../lib/types';
import { words } from '../../lib/words';

/** What an event is about: the connection or the provider, as it is called now. */
export function target(tokenry: Tokenry, event: Event): string | undefined {
  const connection = event.connection_id ? tokenry.connections.get(event.connection_id) : undefined;
  if (connection) {
    const account = who(connection);
    return account ? `${connection.name} (${account})` : connection.name;
  }
  return event.provider_id ? tokenry.providers.get(event.provider_id)?.display_name : undefined;
}

/** Who asked, in words. */
export function asker(event: Event): string {
  if (event.caller === 'ui') return words.activity.ui;
  if (event.caller === 'engine') return words.activity.engine;
  // The last part of the path says most; all of it is in the tooltip.
  return event.program?.split(/[/\\]/).pop() || words.activity.program;
}
