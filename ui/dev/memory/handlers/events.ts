/** The activity log, page by page. */
import type { Event } from '../../../src/lib/types';
import { on } from './on';

export const events = [
  on('get', '/v1/events', (engine, { query = {} }) => {
    const from = query.before ?? 0;
    const limit = query.limit ?? 100;
    const next = from + limit < engine.events.length ? from + limit : null;
    const same = (wanted: string | null | undefined, is: string | null | undefined) => wanted == null || wanted === is;
    // As the engine does: a page is a stretch of time, in which perhaps nothing matches.
    const matches = (event: Event) =>
      same(query.app, event.app_id) &&
      same(query.connection, event.connection_id) &&
      same(query.outcome, event.outcome);
    return { events: engine.events.slice(from, from + limit).filter(matches), next };
  }),
];
