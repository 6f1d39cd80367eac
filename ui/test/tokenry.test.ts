import { afterEach, describe, expect, it, vi } from 'vitest';
import { Tokenry } from '../src/lib/state/tokenry.svelte';
import { ADA, newTransport, settle, withConnection, withProvider } from './support';

const stops: (() => void)[] = [];

async function started(transport = newTransport()) {
  const tokenry = new Tokenry(transport);
  stops.push(await tokenry.start());
  return tokenry;
}

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.restoreAllMocks();
});

describe('the vault', () => {
  it('once locked, leaves no name of anything in the window', async () => {
    const transport = newTransport();
    withConnection(transport, withProvider(transport));
    const tokenry = await started(transport);
    await tokenry.events.load();
    expect([tokenry.providers.size, tokenry.connections.size]).toEqual([1, 1]);
    transport.engine.setVault({ ...transport.engine.vault, state: 'locked' });
    await settle();
    const kept = [
      tokenry.providers.list,
      [...tokenry.connections.byProvider],
      tokenry.events.list,
      tokenry.notices.list,
    ];
    expect(kept.flat()).toEqual([]);
  });

  it('that locks between two looks is found out by the next refusal', async () => {
    const transport = newTransport();
    const tokenry = await started(transport);
    transport.engine.vault = { ...transport.engine.vault, state: 'locked' };
    await tokenry.attempt(() => tokenry.providers.load());
    expect(tokenry.engine.unlocked).toBe(false);
    expect(tokenry.notices.list).toEqual([]);
  });

  it('is looked at again when the engine did not answer, and then changes are heard', async () => {
    const transport = newTransport();
    const changes = vi.spyOn(transport, 'changes').mockRejectedValueOnce(new Error('the engine is still starting'));
    const tokenry = await started(transport);
    expect(tokenry.engine.failure?.message).toBe('the engine is still starting');
    await tokenry.look();
    expect(tokenry.engine.failure).toBeUndefined();
    expect(changes).toHaveBeenCalledTimes(2);
    transport.engine.putProvider(withProvider(transport));
    await settle();
    expect(tokenry.providers.size).toBe(1);
  });
});

describe('changes', () => {
  it('made elsewhere are seen: a provider, a connection, and that both are gone again', async () => {
    const transport = newTransport();
    const tokenry = await started(transport);
    const provider = transport.engine.putProvider(withProvider(transport));
    const connection = transport.engine.putConnection(withConnection(transport, provider));
    await settle();
    expect(tokenry.connections.of(provider.id)).toHaveLength(1);
    transport.engine.removeConnection(connection.id);
    transport.engine.removeProvider(provider.id);
    await settle();
    expect([tokenry.providers.size, tokenry.connections.size]).toEqual([0, 0]);
  });

  it('that were left out are made up for when the engine says that it changed', async () => {
    const transport = newTransport();
    const tokenry = await started(transport);
    withConnection(transport, withProvider(transport));
    transport.engine.setVault(transport.engine.vault);
    await settle();
    expect([tokenry.providers.size, tokenry.connections.size]).toEqual([1, 1]);
  });
});

describe('a sign-in', () => {
  it('that ends well is told once, with whose account it is', async () => {
    const transport = newTransport();
    const provider = withProvider(transport);
    const tokenry = await started(transport);
    await tokenry.connect(provider);
    const [flow] = [...tokenry.flows.open.keys()];
    transport.engine.end(flow ?? '', { status: 'connected' }, { account: ADA });
    await settle();
    await tokenry.flows.changed(flow ?? '');
    expect(tokenry.notices.list.map(({ title }) => title)).toEqual(['Connected as ada@example.org.']);
    expect(tokenry.flows.open.size).toBe(0);
  });

  it('that was started by a program is followed, too', async () => {
    const transport = newTransport();
    const provider = withProvider(transport);
    const tokenry = await started(transport);
    const flow = transport.engine.start(provider, undefined, undefined);
    await settle();
    expect(tokenry.flows.open.get(flow.id)?.status).toBe('waiting');
    transport.engine.end(flow.id, { status: 'failed', code: 'consent_denied', message: 'the sign-in was refused' });
    await settle();
    expect(tokenry.flows.ended.get(provider.id)?.flow.message).toBe('the sign-in was refused');
  });

  it('that was cancelled is no failure', async () => {
    const transport = newTransport();
    const provider = withProvider(transport);
    const tokenry = await started(transport);
    await tokenry.connect(provider);
    const [flow] = [...tokenry.flows.open.keys()];
    await tokenry.flows.cancel(flow ?? '');
    await settle();
    expect([tokenry.flows.open.size, tokenry.flows.ended.size, tokenry.connections.size]).toEqual([0, 0, 0]);
  });
});

describe('events', () => {
  it('come page by page, and live while the view is open', async () => {
    const transport = newTransport();
    for (let n = 0; n < 150; n += 1) transport.engine.log({ kind: 'refreshed' });
    const tokenry = await started(transport);
    transport.engine.log({ kind: 'locked' });
    expect(tokenry.events.list).toEqual([]);
    await tokenry.events.load();
    expect([tokenry.events.list.length, tokenry.events.more]).toEqual([100, true]);
    await tokenry.events.older();
    expect([tokenry.events.list.length, tokenry.events.more]).toEqual([151, false]);
    transport.engine.log({ kind: 'unlocked' });
    await settle();
    expect(tokenry.events.list[0]?.kind).toBe('unlocked');
    expect(new Set(tokenry.events.list.map(({ id }) => id)).size).toBe(152);
  });
});

it('a failure is shown with the text of its code and its own message, and the same one only once', async () => {
  const transport = newTransport();
  const tokenry = await started(transport);
  for (let n = 0; n < 2; n += 1) {
    transport.failNext('GET /v1/oauth-providers', { code: 'internal', message: 'the disk is full' });
    await tokenry.attempt(() => tokenry.providers.load());
  }
  expect(tokenry.notices.list).toMatchObject([
    { tone: 'bad', title: 'Internal error', message: 'the disk is full', requestId: '0192-test' },
  ]);
});
