import type { Client } from '../door/client';
import type { Event } from '../types';

/** One page of the activity log. */
const PAGE = 100;

/** The activity log, newest first. */
export class Events {
  list = $state.raw<Event[]>([]);
  /** Whether there is more before the oldest that is shown. */
  more = $state(false);
  loaded = $state(false);

  readonly #client: Client;
  #before: number | null = null;
  #watching = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The newest page, and from now on whatever happens. @throws Failure */
  async load(): Promise<void> {
    this.#watching = true;
    const page = await this.#client.call('get', '/v1/events', { query: { limit: PAGE } });
    if (!this.#watching) return;
    // What came by itself while the page was on its way is in front of it.
    const there = new Set(page.events.map((event) => event.id));
    const newest = page.events[0]?.at ?? '';
    const ahead = this.list.filter((event) => !there.has(event.id) && event.at >= newest);
    this.list = [...ahead, ...page.events];
    this.#mark(page.next);
    this.loaded = true;
  }

  /** Looks again, if somebody is looking. @throws Failure */
  async again(): Promise<void> {
    if (this.#watching) await this.load();
  }

  /** The page before the oldest that is shown. @throws Failure */
  async older(): Promise<void> {
    if (this.#before === null) return;
    const page = await this.#client.call('get', '/v1/events', { query: { limit: PAGE, before: this.#before } });
    const there = new Set(this.list.map((event) => event.id));
    this.list = [...this.list, ...page.events.filter((event) => !there.has(event.id))];
    this.#mark(page.next);
  }

  /** One that just happened; kept only while somebody looks. */
  add(event: Event): void {
    if (!this.#watching || this.list.some((known) => known.id === event.id)) return;
    this.list = [event, ...this.list];
  }

  /** Nobody looks any more. */
  clear(): void {
    this.#watching = false;
    this.list = [];
    this.#mark(null);
    this.loaded = false;
  }

  #mark(next: number | null | undefined): void {
    this.#before = next ?? null;
    this.more = this.#before !== null;
  }
}
