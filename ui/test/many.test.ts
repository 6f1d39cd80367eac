/** A window with more than fits on the screen. */
import { fireEvent, screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../src/lib/types';
import { click, newTransport, open, settle, type, user, withConnection, withProvider } from './support';

const MANY = 1000;

async function many(count = MANY, given: (n: number) => Partial<Connection> = () => ({})) {
  const transport = newTransport();
  const provider = withProvider(transport);
  for (let n = 0; n < count; n += 1) withConnection(transport, provider, { label: `l${n}`, ...given(n) });
  await open(transport);
  return { transport, provider };
}

const rows = () => screen.queryAllByTestId(/^connection-sandbox/).map(({ dataset }) => dataset['testid']);
const item = (element: Element | null) => element?.closest<HTMLElement>('[role=listitem]');

/** Scrolls the window; in jsdom nothing else does. */
async function scroll(top: number) {
  const main = screen.getByRole('main');
  main.scrollTop = top;
  await fireEvent.scroll(main);
  await settle();
}

describe('a thousand connections', () => {
  it('are not in the document but those in sight, wherever it is scrolled', async () => {
    await many();
    expect(rows().length).toBeLessThan(20);
    expect(rows()).toContain('connection-sandbox/l0');
    await scroll(60_000);
    expect(rows().length).toBeLessThan(20);
    expect(rows()).not.toContain('connection-sandbox/l0');
    await scroll(0);
    expect(rows()).toContain('connection-sandbox/l0');
    expect(document.querySelectorAll('*').length).toBeLessThan(1500);
  });

  it('are all counted for a screen reader, and each says which one it is', async () => {
    await many();
    const head = item(screen.getByTestId('provider-sandbox'));
    expect([head?.getAttribute('aria-level'), head?.getAttribute('aria-setsize')]).toEqual(['1', '2']);
    const third = item(screen.getByTestId('connection-sandbox/l2'));
    const of = ['aria-level', 'aria-posinset', 'aria-setsize'].map((name) => third?.getAttribute(name));
    expect(of).toEqual(['2', '3', String(MANY)]);
    expect(third?.parentElement?.getAttribute('role')).toBe('list');
  });

  it('are reached one after the other by Tab, and the one with the focus stays when it is scrolled away', async () => {
    await many();
    screen.getByTestId('edit-sandbox').focus();
    const reached = new Set<string | undefined>();
    for (let n = 0; n < 15; n += 1) {
      await user.tab();
      reached.add(document.activeElement?.closest<HTMLElement>('article')?.dataset['testid']);
      await settle();
    }
    expect([...reached]).toEqual(['connection-sandbox/l0', 'connection-sandbox/l1', 'connection-sandbox/l2']);
    const focused = document.activeElement;
    await scroll(90_000);
    expect(document.activeElement).toBe(focused);
    for (let n = 0; n < 5; n += 1) await user.tab();
    expect(document.activeElement?.closest('article')?.dataset['testid']).toBe('connection-sandbox/l3');
  });

  it('are found by the filter', async () => {
    await many();
    await type('filter', 'sandbox/l999');
    expect(rows()).toEqual(['connection-sandbox/l999']);
  });

  it('every connection of the list has a name and its scopes as a list', async () => {
    await many(30, () => ({ scopes: ['openid', 'email'] }));
    for (const article of document.querySelectorAll('article')) {
      expect(document.getElementById(article.getAttribute('aria-labelledby') ?? '')?.textContent).toMatch(/\S/);
      const scopes = article.querySelector('ul[role=list]');
      expect([...(scopes?.querySelectorAll('li') ?? [])].map((li) => li.textContent)).toEqual(['openid', 'email']);
    }
  });
});

it('what is to be done about a connection far down is above the list, and has the focus', async () => {
  const { transport } = await many(60, () => ({ status: 'needs_reauth', reason: 'revoked' }));
  await scroll(50 * 130);
  const row = screen.getAllByTestId('connect-again')[0]?.closest('article')?.dataset['testid'] ?? '';
  expect(row).not.toBe('connection-sandbox/l0');
  await click('connect-again');
  const panel = screen.getByTestId('waiting');
  expect(document.activeElement).toBe(panel);
  for (const id of ['cancel-flow', 'copy-link', 'paste-toggle'])
    expect(panel.contains(screen.getByTestId(id))).toBe(true);
  await click('cancel-flow');
  expect(screen.queryByTestId('waiting')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId(row));
  expect(transport.lines.filter((line) => line.endsWith('/authorize'))).toHaveLength(1);
});
