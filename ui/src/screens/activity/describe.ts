import type { Tokenry } from '../../lib/state/tokenry.svelte';
import { who } from '../../lib/text/connection';
import type { Event, Rule } from '../../lib/types';
import { messages } from '../../lib/messages';

/** What an event is about: the connection, the provider or the app, as it is called now. */
export function target(tokenry: Tokenry, event: Event): string | undefined {
  const connection = event.connection_id ? tokenry.connections.get(event.connection_id) : undefined;
  if (connection) {
    const account = who(connection);
    return account ? `${connection.name} (${account})` : connection.name;
  }
  const credential = event.credential_id ? tokenry.credentials.get(event.credential_id) : undefined;
  if (credential) return credential.name;
  return provider(tokenry, event) ?? (event.caller === 'app' ? undefined : app(tokenry, event));
}

/** Who asked, in messages. */
export function asker(tokenry: Tokenry, event: Event): string {
  if (event.caller === 'ui') return messages.activity.you;
  if (event.caller === 'consent') return messages.activity.you;
  if (event.caller === 'engine') return messages.activity.engine;
  // The last part of the path texts most; all of it is in the tooltip.
  const program = event.program?.split(/[/\\]/).pop();
  if (event.caller !== 'app') return program || messages.activity.program;
  const name = app(tokenry, event) ?? messages.activity.app;
  return program && program !== name ? messages.activity.viaApp(name, program) : name;
}

/** By which rule it was let through or refused, where that is not said already by who asked. */
export function decided(event: Event): string | undefined {
  const plain: Record<string, Rule> = { ui: 'window', consent: 'window', engine: 'engine' };
  if (!event.rule || plain[event.caller] === event.rule) return undefined;
  return messages.activity.rule[event.rule];
}

/** What happened. */
export function happened(event: Event): string {
  return messages.activity.eventKind[event.kind][event.outcome];
}

/** What was sent, and to which provider. Of what was refused, nothing was. */
export function sent(tokenry: Tokenry, event: Event): string | undefined {
  const at = event.provider_id ? tokenry.providers.get(event.provider_id) : undefined;
  const reached = event.outcome === 'done' || (event.outcome === 'failed' && event.kind === 'refresh_failed');
  return at && reached ? messages.activity.sent[at.grant_type][event.kind]?.(at.display_name) : undefined;
}

function provider(tokenry: Tokenry, event: Event): string | undefined {
  return event.provider_id ? tokenry.providers.get(event.provider_id)?.display_name : undefined;
}

function app(tokenry: Tokenry, event: Event): string | undefined {
  return event.app_id ? tokenry.apps.get(event.app_id)?.name : undefined;
}
