import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import type { Event } from '../src/lib/types';
import { messages } from '../src/lib/messages';
import { nextId } from '../dev/memory/engine';
import { anApp } from '../dev/memory/samples';
import { click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

async function activity() {
  const transport = newTransport();
  const provider = withProvider(transport);
  const connection = withConnection(transport, provider);
  const of = { provider_id: provider.id, connection_id: connection.id };
  transport.engine.log({ kind: 'provider_added', provider_id: provider.id });
  transport.engine.log({ kind: 'token_handed_out', caller: 'program', program: '/usr/bin/git', pid: 7, ...of });
  transport.engine.log({ kind: 'refresh_failed', caller: 'engine', outcome: 'failed', detail: 'no route', ...of });
  await open(transport);
  await click('nav-activity');
  return transport;
}

it('each event says what happened, to what, who requested it and how it ended', async () => {
  await activity();
  expect(text('event', 0)).toMatch(
    /Refresh failed · sandbox \(ada@example.org\)\s*Tokenry \(background\) · no route\s*Tried to refresh at Sandbox\s*just now/,
  );
  expect(text('event', 1)).toMatch(/Token returned · sandbox.*\s*git, process 7/);
  expect(text('event', 2)).toMatch(/Provider added · Sandbox\s*You/);
  expect(screen.getByTitle('/usr/bin/git')).toBeTruthy();
});

it('a new event comes by itself, on top', async () => {
  const transport = await activity();
  transport.engine.log({ kind: 'unlocked' });
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
  const transport = newTransport();
  transport.engine.log({ kind: 'redirect_refused', outcome: 'refused', detail: '<img src=x onerror=alert(1)>' });
  await open(transport);
  await click('nav-activity');
  expect(text('event')).toContain('<img src=x onerror=alert(1)>');
  expect(document.querySelector('img')).toBeNull();
});

it('older events come on request', async () => {
  const transport = newTransport();
  for (let n = 0; n < 101; n += 1) transport.engine.log({ kind: 'refreshed' });
  await open(transport);
  await click('nav-activity');
  const all = () => screen.getAllByTestId('event')[0]?.closest('[aria-setsize]')?.getAttribute('aria-setsize');
  expect(all()).toBe('100');
  await click('older');
  expect(all()).toBe('101');
  expect(screen.queryByTestId('older')).toBeNull();
});

const choose = async (name: string, value: string) => {
  await user.selectOptions(screen.getByTestId(`field-${name}`), value);
  await settle();
};

const kinds = () => screen.queryAllByTestId('event').map(({ dataset }) => dataset['kind']);

async function withApp() {
  const transport = newTransport();
  const provider = withProvider(transport);
  const connection = withConnection(transport, provider);
  const app = anApp({ id: nextId(), name: 'release-notes' });
  transport.engine.apps.set(app.id, app);
  const of = { provider_id: provider.id, connection_id: connection.id };
  transport.engine.log({ kind: 'refreshed', caller: 'engine', rule: 'engine', ...of });
  transport.engine.log({ kind: 'app_added', app_id: app.id, rule: 'window' });
  transport.engine.log({
    kind: 'token_handed_out',
    caller: 'app',
    app_id: app.id,
    rule: 'grant',
    program: '/bin/x',
    ...of,
  });
  transport.engine.log({
    kind: 'consent_decided',
    caller: 'program',
    program: '/home/ada/bin/deploy',
    outcome: 'refused',
    rule: 'denied',
    detail: 'a token',
    ...of,
  });
  await open(transport);
  await click('nav-activity');
  return { transport, app, connection, of };
}

it('what was decided, by which rule, and what was sent to whom is said in words', async () => {
  await withApp();
  expect(text('event', 0)).toMatch(/Denied · sandbox.*\s*deploy · a token · Denied by you/);
  expect(text('event', 1)).toMatch(/Token returned.*\s*release-notes \(x\)\s*· Allowed by a grant/);
  expect(text('event', 2)).toMatch(/App registered · release-notes\s*You\s*just now/);
  expect(text('event', 3)).toContain('Refreshed at Sandbox');
});

it('app, connection and result narrow the list, and it goes on live', async () => {
  const { transport, app, connection, of } = await withApp();
  await choose('app', app.id);
  expect(kinds()).toEqual(['token_handed_out', 'app_added']);
  await choose('connection', connection.id);
  expect(kinds()).toEqual(['token_handed_out']);
  const more: Partial<Event> = { caller: 'app', app_id: app.id, ...of };
  transport.engine.log({ kind: 'refreshed', ...of });
  transport.engine.log({ kind: 'disconnected', ...more });
  await settle();
  expect(kinds()).toEqual(['disconnected', 'token_handed_out']);
  await choose('app', '');
  await choose('connection', '');
  await choose('outcome', 'refused');
  expect(kinds()).toEqual(['consent_decided']);
  transport.engine.log({ kind: 'unlocked' });
  await settle();
  expect(kinds()).toEqual(['consent_decided']);
});

it('pages in which nothing fits are passed over, and the oldest that fits is found', async () => {
  const transport = newTransport();
  transport.engine.log({ kind: 'redirect_refused', outcome: 'refused' });
  for (let n = 0; n < 350; n += 1) transport.engine.log({ kind: 'refreshed' });
  await open(transport);
  await click('nav-activity');
  await choose('outcome', 'refused');
  expect(kinds()).toEqual(['redirect_refused']);
  expect(screen.queryByTestId('older')).toBeNull();
});

it('a very long way without anything that fits can be gone on with', async () => {
  const transport = newTransport();
  transport.engine.log({ kind: 'redirect_refused', outcome: 'refused' });
  for (let n = 0; n < 2100; n += 1) transport.engine.log({ kind: 'refreshed' });
  await open(transport);
  await click('nav-activity');
  await choose('outcome', 'refused');
  expect(kinds()).toEqual([]);
  await click('older');
  expect(kinds()).toEqual(['redirect_refused']);
});

const KINDS = Object.keys(messages.activity.eventKind) as (keyof typeof messages.activity.eventKind)[];

it.each(KINDS)('%s is not told as done when it was refused or failed', (kind) => {
  const { done, refused, failed } = messages.activity.eventKind[kind];
  // What is bad news however it ended.
  const bad = ['redirect_refused', 'scopes_lost', 'refresh_failed', 'app_refused', 'log_damaged'];
  for (const text of [refused, failed]) expect(text).toMatch(/denied|failed|rejected|lost|damaged/i);
  if (!bad.includes(kind)) expect([refused, failed]).not.toContain(done);
});

it('a refused request says that it was denied, and not that something was handed out or sent', async () => {
  const transport = newTransport();
  const provider = withProvider(transport);
  const of = { provider_id: provider.id, caller: 'program', program: '/bin/x', outcome: 'refused' } as const;
  for (const kind of KINDS) transport.engine.log({ kind, ...of });
  transport.engine.log({ kind: 'token_handed_out', ...of });
  await open(transport);
  await click('nav-activity');
  expect(text('event')).toMatch(/^Denied: token request · Sandbox/);
  expect(document.body.textContent).not.toContain('Token returned');
  expect(screen.queryByTestId('sent')).toBeNull();
});

it('where the client signs in by itself, no refresh token is said to be sent', async () => {
  const transport = newTransport();
  const provider = withProvider(transport, { grant_type: 'client_credentials' });
  for (const kind of KINDS) transport.engine.log({ kind, provider_id: provider.id, caller: 'engine' });
  await open(transport);
  await click('nav-activity');
  await type('filter', 'a new access token');
  expect(text('sent')).toBe('Tried to request a new access token at Sandbox');
  await type('filter', '');
  expect(document.body.textContent).not.toMatch(/Refreshed at|Exchanged|in the browser/);
});

it('of more than two hundred connections one is chosen by its name', async () => {
  const transport = newTransport();
  const provider = withProvider(transport);
  for (let n = 0; n < 201; n += 1) {
    const connection = withConnection(transport, provider, { label: `l${n}` });
    if (n === 17) transport.engine.log({ kind: 'refreshed', connection_id: connection.id, provider_id: provider.id });
    else if (n < 20) transport.engine.log({ kind: 'unlocked' });
  }
  await open(transport);
  await click('nav-activity');
  expect(document.querySelectorAll('option').length).toBeLessThan(20);
  await type('field-connection', 'sandbox/l1');
  expect(kinds()).not.toContain('unlocked');
  await type('field-connection', 'sandbox/l17');
  expect(kinds()).toEqual(['refreshed']);
  await type('field-connection', 'nothing');
  expect(text('error-connection')).toBe('No connection has this name.');
});
