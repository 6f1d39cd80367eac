/** The panel of a sign-in: one for a new connection and for one that is renewed. */
import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, newTransport, open, settle, text, type, withConnection, withProvider } from './support';

async function lost() {
  const transport = newTransport();
  const provider = withProvider(transport);
  const connection = withConnection(transport, provider, { status: 'needs_reauth', reason: 'expired' });
  await open(transport);
  return { transport, provider, connection };
}

const started = (transport: ReturnType<typeof newTransport>) =>
  transport.lines.filter((line) => line.endsWith('/authorize')).length;

describe('Connect again', () => {
  it('shows the panel with the focus, and the way to cancel, copy the link and paste', async () => {
    const { transport } = await lost();
    await click('connect-again');
    expect(document.activeElement).toBe(screen.getByTestId('waiting'));
    expect(text('waiting')).toMatch(/Sign in to Sandbox\s*Signing in again: ada@example.org/);
    await click('copy-link');
    expect(transport.copied).toHaveLength(1);
    await click('paste-toggle');
    await type('field-paste', 'http://127.0.0.1:50000/cb/sandbox?code=c&state=s');
    await click('paste-go');
    expect(screen.queryByTestId('waiting')).toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId('connection-sandbox'));
  });

  it('pressed again starts nothing, but shows the panel of the sign-in that is open', async () => {
    const { transport } = await lost();
    const button = screen.getByTestId('connect-again');
    button.click();
    button.click();
    await settle();
    expect(started(transport)).toBe(1);
    screen.getByTestId('filter').focus();
    await click('show-sign-in');
    expect(document.activeElement).toBe(screen.getByTestId('waiting'));
    expect([started(transport), screen.getAllByTestId('waiting').length]).toEqual([1, 1]);
  });

  it('shows the panel also of a sign-in that another program started', async () => {
    const { transport, provider, connection } = await lost();
    transport.engine.start(provider, undefined, connection.id);
    await settle();
    expect(text('waiting')).toContain('Signing in again');
    expect(document.activeElement).toBe(document.body);
    await click('show-sign-in');
    expect(document.activeElement).toBe(screen.getByTestId('waiting'));
    expect(started(transport)).toBe(0);
  });
});

it('Connect pressed twice with the same label starts one sign-in', async () => {
  const transport = newTransport();
  withProvider(transport);
  await open(transport);
  await click('connect-sandbox');
  await click('connect-sandbox');
  await click('confirm-connect');
  expect(started(transport)).toBe(1);
  await click('connect-sandbox');
  await type('field-label', 'work');
  await click('confirm-connect');
  expect([started(transport), screen.getAllByTestId('waiting').length]).toEqual([2, 2]);
});

it('a sign-in that ends in the browser leaves the focus at its connection', async () => {
  const { transport, connection } = await lost();
  await click('connect-again');
  const [flow] = [...transport.engine.flows.keys()];
  transport.engine.end(flow ?? '', { status: 'connected' }, { account: connection.account ?? null });
  await settle();
  expect(document.activeElement).toBe(screen.getByTestId('connection-sandbox'));
});

describe('while the connections are still loading', () => {
  it('no provider says that it is not connected, and Connect waits', async () => {
    const transport = newTransport();
    withConnection(transport, withProvider(transport));
    let go: () => void = () => undefined;
    const request = transport.request.bind(transport);
    transport.request = async (method, path, body) => {
      if (path === '/v1/connections') await new Promise<void>((resolve) => (go = resolve));
      return request(method, path, body);
    };
    await open(transport);
    expect(text('provider-sandbox')).toContain('Loading connections…');
    expect(text('provider-sandbox')).not.toContain('Not connected');
    const connect = screen.getByTestId<HTMLButtonElement>('connect-sandbox');
    expect([connect.disabled, connect.classList.contains('primary')]).toEqual([true, false]);
    go();
    await settle();
    expect(text('connected-as')).toContain('ada@example.org');
    expect(screen.getByTestId<HTMLButtonElement>('connect-sandbox').disabled).toBe(false);
  });

  it('a list that could not be loaded is said, and loaded again by a button', async () => {
    const transport = newTransport();
    withConnection(transport, withProvider(transport));
    transport.failNext('GET /v1/connections', { code: 'internal', message: 'the disk is gone' });
    await open(transport);
    expect(text('not-loaded')).toContain('the disk is gone');
    expect(text('provider-sandbox')).not.toContain('Not connected');
    await click('load-again');
    expect(screen.queryByTestId('not-loaded')).toBeNull();
    expect(text('connected-as')).toContain('ada@example.org');
  });
});

it('a link of ours that belongs to no open sign-in is told, with the reason', async () => {
  const transport = newTransport();
  withProvider(transport);
  const changes = transport.changes.bind(transport);
  let tell: Parameters<typeof changes>[0] = () => undefined;
  transport.changes = (listener) => {
    tell = listener;
    return changes(listener);
  };
  await open(transport);
  const message = 'the link belongs to no open sign-in';
  tell({ type: 'link.refused', code: 'flow_expired', message } as never);
  await settle();
  expect(text('toast')).toContain(message);
  expect(screen.getByTestId('toast').dataset['tone']).toBe('bad');
});
