import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { click, door, open, settle, text, type, withConnection, withProvider } from './support';

async function activity() {
  const behind = door();
  const provider = withProvider(behind);
  const connection = withConnection(behind, provider);
  const of = { provider_id: provider.id, connection_id: connection.id };
  behind.engine.log({ kind: 'provider_added', provider_id: provider.id });
  behind.engine.log({ kind: 'token_handed_out', caller: 'program', program: '/usr/bin/git', pid: 7, ...of });
  behind.engine.log({ kind: 'refresh_failed', caller: 'engine', outcome: 'failed', detail: 'no route', ...of });
  await open(behind);
  await click('nav-activity');
  return behind;
}

it('each event says what happened, to what, who asked and how it ended', async () => {
  await activity();
  expect(text('event', 0)).toMatch(
    /Refresh failed · sandbox \(ada@example.org\)\s*Tokenry itself · no route\s*Failed\s*just now/,
  );
  expect(text('event', 1)).toMatch(/Token handed out · sandbox.*\s*git, process 7/);
  expect(text('event', 2)).toMatch(/Provider added · Sandbox\s*You, in the window/);
  expect(screen.getByTitle('/usr/bin/git')).toBeTruthy();
});

it('a new event comes by itself, on top', async () => {
  const behind = await activity();
  behind.engine.log({ kind: 'unlocked' });
  await settle();
  expect(screen.getAllByTestId('event')).toHaveLength(4);
  expect(text('event')).toContain('Vault unlocked');
});

it('the filter finds program, account, kind and outcome', async () => {
  await activity();
  for (const [filter, found] of [
    ['git', 1],
    ['ADA', 2],
    ['refresh', 1],
    ['failed', 1],
    ['nothing', 0],
  ] as const) {
    await type('filter', filter);
    expect(screen.queryAllByTestId('event'), filter).toHaveLength(found);
  }
});

it('what a provider or program calls itself is text, never markup', async () => {
  const behind = door();
  behind.engine.log({ kind: 'redirect_refused', outcome: 'refused', detail: '<img src=x onerror=alert(1)>' });
  await open(behind);
  await click('nav-activity');
  expect(text('event')).toContain('<img src=x onerror=alert(1)>');
  expect(document.querySelector('img')).toBeNull();
});

it('older events come on request', async () => {
  const behind = door();
  for (let n = 0; n < 101; n += 1) behind.engine.log({ kind: 'refreshed' });
  await open(behind);
  await click('nav-activity');
  expect(screen.getAllByTestId('event')).toHaveLength(100);
  await click('older');
  expect(screen.getAllByTestId('event')).toHaveLength(101);
  expect(screen.queryByTestId('older')).toBeNull();
});
