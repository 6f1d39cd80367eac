import type { Client } from '../transport/client';
import type { Event, EventQuery, Outcome } from '../types';

/** One page of the activity log. */
const PAGE = 100;
/** More pages without a match need another click: the log may hold a million events. */
const MAX_PAGES = 20;

/** What is listed. Apps and connections by id; empty is all. */
export interface EventFilter {
  app: string;
  connection: string;
  outcome: Outcome | '';
}

export const ALL: EventFilter = { app: '', connection: '', outcome: '' };

/** The activity log, newest first. */
export class Events {
  list = $state.raw<Event[]>([]);
  /** Whether there are events before the oldest loaded one. */
  more = $state(false);
  loaded = $state(false);

  readonly #client: Client;
  #before: number | null = null;
  #watching = false;
  #wanted = ALL;
  /** Responses to older tickets belong to other filters. */
  #ticket = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The newest that fit, and from now on whatever happens and fits. @throws Failure */
  async load(): Promise<void> {
    this.#watching = true;
    const found = await this.#pages(null);
    if (!found) return;
    // What came by itself while the page was on its way is in front of it.
    const there = new Set(found.map((event) => event.id));
    const newest = found[0]?.at ?? '';
    const ahead = this.list.filter((event) => !there.has(event.id) && event.at >= newest);
    this.list = [...ahead, ...found];
    this.loaded = true;
  }

  /** Lists these from now on. @throws Failure */
  async want(wanted: EventFilter): Promise<void> {
    this.#wanted = { ...wanted };
    this.list = [];
    this.#mark(null);
    this.loaded = false;
    await this.load();
  }

  /** Loads again, if the log is open. @throws Failure */
  async again(): Promise<void> {
    if (this.#watching) await this.load();
  }

  /** Matching events before the oldest loaded one. @throws Failure */
  async older(): Promise<void> {
    if (this.#before === null) return;
    const found = await this.#pages(this.#before);
    if (!found) return;
    const there = new Set(this.list.map((event) => event.id));
    this.list = [...this.list, ...found.filter((event) => !there.has(event.id))];
  }

  /** An event that just happened, or happened again; kept only while the log is open and it matches. */
  add(event: Event): void {
    if (!this.#watching || !this.#fits(event)) return;
    const known = this.list.find((line) => line.id === event.id);
    // A line that repeats keeps its id and grows.
    if (known && (known.count ?? 1) >= (event.count ?? 1)) return;
    this.list = [event, ...this.list.filter((line) => line.id !== event.id)];
  }

  /** The log is closed. */
  clear(): void {
    this.#watching = false;
    this.#wanted = ALL;
    this.#ticket += 1;
    this.list = [];
    this.#mark(null);
    this.loaded = false;
  }

  /** Pages from this mark on until one has something in it. Nothing when something else is wanted by now. */
  async #pages(before: number | null): Promise<Event[] | undefined> {
    const ticket = ++this.#ticket;
    let next = before;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await this.#client.call('get', '/v1/events', { query: this.#query(next) });
      if (ticket !== this.#ticket) return undefined;
      next = answer.next ?? null;
      this.#mark(next);
      if (answer.events.length > 0 || next === null) return answer.events;
    }
    return [];
  }

  #query(before: number | null): EventQuery {
    const query: EventQuery = { limit: PAGE };
    const { app, connection, outcome } = this.#wanted;
    if (before !== null) query.before = before;
    if (app !== '') query.app = app;
    if (connection !== '') query.connection = connection;
    if (outcome !== '') query.outcome = outcome;
    return query;
  }

  #fits(event: Event): boolean {
    const { app, connection, outcome } = this.#wanted;
    const same = (wanted: string, is: string | null | undefined) => wanted === '' || wanted === is;
    return same(app, event.app_id) && same(connection, event.connection_id) && same(outcome, event.outcome);
  }

  #mark(next: number | null): void {
    this.#before = next;
    this.more = next !== null;
  }
}
