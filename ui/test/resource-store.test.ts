import { expect, it } from 'vitest';
import { Failure } from '../src/lib/transport/failure';
import { ResourceStore } from '../src/lib/state/resource-store.svelte';

interface Thing {
  id: string;
  text: string;
}

/** Answers when the test says so. */
class Things extends ResourceStore<Thing> {
  readonly ones: { id: string; answer: (thing: Thing) => void; fail: (cause: unknown) => void }[] = [];
  readonly lists: ((things: Thing[]) => void)[] = [];

  protected fetchAll(): Promise<Thing[]> {
    return new Promise((answer) => this.lists.push(answer));
  }

  protected fetchOne(id: string): Promise<Thing> {
    return new Promise((answer, fail) => this.ones.push({ id, answer, fail }));
  }
}

const gone = new Failure({ code: 'not_found', message: 'it was removed', request_id: '' });

it('an answer that comes late does not replace one that was asked for after it', async () => {
  const things = new Things();
  const first = things.reload('a');
  const second = things.reload('a');
  things.ones[1]?.answer({ id: 'a', text: 'new' });
  await second;
  things.ones[0]?.answer({ id: 'a', text: 'old' });
  await first;
  expect(things.get('a')?.text).toBe('new');
});

it('a list that was asked for before something was removed does not bring it back', async () => {
  const things = new Things();
  const list = things.load();
  const one = things.reload('a');
  things.ones[0]?.fail(gone);
  await one;
  things.lists[0]?.([{ id: 'a', text: 'removed meanwhile' }]);
  await list;
  expect(things.size).toBe(0);
});

it('what was asked for before the vault was locked is not shown after it', async () => {
  const things = new Things();
  const list = things.load();
  const one = things.reload('a');
  things.clear();
  things.lists[0]?.([{ id: 'a', text: 'sealed' }]);
  things.ones[0]?.answer({ id: 'a', text: 'sealed' });
  await Promise.all([list, one]);
  expect(things.size).toBe(0);
  expect(things.loaded).toBe(false);
});

it('changes that come together are asked for together: a few one by one, many as one list', async () => {
  const things = new Things();
  void things.changed('a');
  void things.changed('a');
  void things.changed('b');
  await Promise.resolve();
  expect(things.ones.map(({ id }) => id)).toEqual(['a', 'b']);
  for (let n = 0; n < 50; n += 1) void things.changed(`x${n}`);
  await Promise.resolve();
  expect(things.ones).toHaveLength(2);
  expect(things.lists).toHaveLength(1);
});

it('a failure that is no "not found" takes nothing off', async () => {
  const things = new Things();
  const there = things.reload('a');
  things.ones[0]?.answer({ id: 'a', text: 'there' });
  await there;
  const again = things.reload('a');
  things.ones[1]?.fail(new Failure({ code: 'internal', message: 'no', request_id: '' }));
  await expect(again).rejects.toMatchObject({ code: 'internal' });
  expect(things.get('a')?.text).toBe('there');
});
