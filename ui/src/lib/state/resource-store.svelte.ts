import { untrack } from 'svelte';
import { Failure } from '../transport/failure';

/** More changes at once fetch the list instead of single resources. */
const MAX_SINGLE_FETCHES = 12;

/**
 * Resources of the engine by id. A change that names one fetches it again, and a late response never replaces the one of
 * a later request.
 */
export abstract class ResourceStore<T extends { id: string }> {
  /** Whether the list was loaded. */
  loaded = $state(false);
  /** Why the list could not be loaded. */
  failure = $state.raw<Failure | undefined>();

  // Not a SvelteMap: that would keep a signal for each of ten thousand items.
  readonly #items = new Map<string, T>();
  #version = $state(0);

  #ticket = 0;
  /** From id to the ticket of the request that gave what is shown. */
  #shown = new Map<string, number>();
  /** Answers to tickets up to this one are dropped: the vault was locked meanwhile. */
  #cleared = 0;
  #changed = new Set<string>();
  #flushing: Promise<void> | undefined;

  protected abstract fetchAll(): Promise<T[]>;
  protected abstract fetchOne(id: string): Promise<T>;

  protected get items(): ReadonlyMap<string, T> {
    void this.#version;
    return this.#items;
  }

  get(id: string): T | undefined {
    return this.items.get(id);
  }

  get size(): number {
    return this.items.size;
  }

  /** @throws Failure */
  async load(): Promise<void> {
    const ticket = ++this.#ticket;
    let list: T[];
    try {
      list = await this.fetchAll();
    } catch (cause) {
      if (ticket > this.#cleared) this.failure = Failure.from(cause);
      throw cause;
    }
    if (ticket <= this.#cleared) return;
    this.failure = undefined;
    const there = new Set(list.map((item) => item.id));
    for (const id of [...this.#items.keys()]) if (!there.has(id)) this.show(id, undefined, ticket);
    for (const item of list) this.show(item.id, item, ticket);
    this.loaded = true;
  }

  /** Fetches one again. It is removed when the engine no longer has it. */
  async reload(id: string): Promise<void> {
    const ticket = ++this.#ticket;
    try {
      this.show(id, await this.fetchOne(id), ticket);
    } catch (cause) {
      if (Failure.from(cause).code === 'not_found') this.show(id, undefined, ticket);
      else throw cause;
    }
  }

  /** This one changed. Changes that come together are fetched together. */
  changed(id: string): Promise<void> {
    this.#changed.add(id);
    this.#flushing ??= Promise.resolve().then(() => this.#flush());
    return this.#flushing;
  }

  /** Forgets everything: the vault was locked. */
  clear(): void {
    this.#cleared = this.#ticket;
    this.#shown.clear();
    this.#changed.clear();
    this.#items.clear();
    this.#touch();
    this.loaded = false;
    this.failure = undefined;
  }

  /** Shows a response that is newer than everything shown. */
  protected put(item: T): void {
    this.show(item.id, item, ++this.#ticket);
  }

  protected drop(id: string): void {
    this.show(id, undefined, ++this.#ticket);
  }

  protected show(id: string, item: T | undefined, ticket: number): void {
    if (ticket <= this.#cleared || (this.#shown.get(id) ?? 0) > ticket) return;
    this.#shown.set(id, ticket);
    if (item) this.#items.set(id, item);
    else this.#items.delete(id);
    this.#touch();
  }

  #touch(): void {
    untrack(() => (this.#version += 1));
  }

  async #flush(): Promise<void> {
    const ids = [...this.#changed];
    this.#changed.clear();
    this.#flushing = undefined;
    if (ids.length > MAX_SINGLE_FETCHES) await this.load();
    else await Promise.all(ids.map((id) => this.reload(id)));
  }
}
