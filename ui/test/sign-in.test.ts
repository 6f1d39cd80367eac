/** The panel of a sign-in: one for a new connection and for one that is renewed. */
import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, door, open, settle, text, type, withConnection, withProvider } from './support';

async function lost() {
  const behind = door();
  const provider = withProvider(behind);
  const connection = withConnection(behind, provider, { status: 'needs_reauth', reason: 'expired' });
  await open(behind);
  return { behind, provider, connection };
}

const started = (behind: ReturnType<typeof door>) => behind.lines.filter((line) => line.endsWith('/authorize')).length;

describe('Connect again', () => {
  it('shows the panel with the focus, and the way to cancel, copy the link and paste', async () => {
    const { behind } = await lost();
    await click('connect-again');
    expect(document.activeElement).toBe(screen.getByTestId('waiting'));
    expect(text('waiting')).toMatch(/Sign in to Sandbox\s*ada@example.org signs in again/);
    await click('copy-link');
    expect(behind.copied).toHaveLength(1);
    await click('paste-toggle');
    await type('field-paste', 'http://127.0.0.1:50000/cb/sandbox?code=c&state=s');
    await click('paste-go');
    expect(screen.queryByTestId('waiting')).toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId('connection-sandbox'));
  });

  it('pressed again starts nothing, but shows the panel of the sign-in that is open', async () => {
    const { behind } = await lost();
    const button = screen.getByTestId('connect-again');
    button.click();
    button.click();
    await settle();
    expect(started(behind)).toBe(1);
    screen.getByTestId('filter').focus();
    await click('show-sign-in');
    expect(document.activeElement).toBe(screen.getByTestId('waiting'));
    expect([started(behind), screen.getAllByTestId('waiting').length]).toEqual([1, 1]);
  });

  it('shows the panel also of a sign-in that another program started', async () => {
    const { behind, provider, connection } = await lost();
    behind.engine.start(provider, undefined, connection.id);
    await settle();
    expect(text('waiting')).toContain('signs in again');
    expect(document.activeElement).toBe(document.body);
    await click('show-sign-in');
    expect(document.activeElement).toBe(screen.getByTestId('waiting'));
    expect(started(behind)).toBe(0);
  });
});

it('Connect pressed twice with the same label starts one sign-in', async () => {
  const behind = door();
  withProvider(behind);
  await open(behind);
  await click('connect-sandbox');
  await click('connect-sandbox');
  await click('confirm-connect');
  expect(started(behind)).toBe(1);
  await click('connect-sandbox');
  await type('field-label', 'work');
  await click('confirm-connect');
  expect([started(behind), screen.getAllByTestId('waiting').length]).toEqual([2, 2]);
});

it('a sign-in that ends in the browser leaves the focus at its connection', async () => {
  const { behind, connection } = await lost();
  await click('connect-again');
  const [flow] = [...behind.engine.flows.keys()];
  behind.engine.end(flow ?? '', { status: 'connected' }, { account: connection.account ?? null });
  await settle();
  expect(document.activeElement).toBe(screen.getByTestId('connection-sandbox'));
});

describe('while the connections are still loading', () => {
  it('no provider says that it is not connected, and Connect waits', async () => {
    const behind = door();
    withConnection(behind, withProvider(behind));
    let go: () => void = () => undefined;
    const request = behind.request.bind(behind);
    behind.request = async (method, path, body) => {
      if (path === '/v1/connections') await new Promise<void>((resolve) => (go = resolve));
      return request(method, path, body);
    };
    await open(behind);
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
    const behind = door();
    withConnection(behind, withProvider(behind));
    behind.refuseNext('GET /v1/connections', { code: 'internal', message: 'the disk is gone' });
    await open(behind);
    expect(text('not-loaded')).toContain('the disk is gone');
    expect(text('provider-sandbox')).not.toContain('Not connected');
    await click('load-again');
    expect(screen.queryByTestId('not-loaded')).toBeNull();
    expect(text('connected-as')).toContain('ada@example.org');
  });
});

it('a link of ours that belongs to no open sign-in is told, with the reason', async () => {
  const behind = door();
  withProvider(behind);
  const changes = behind.changes.bind(behind);
  let tell: Parameters<typeof changes>[0] = () => undefined;
  behind.changes = (listener) => {
    tell = listener;
    return changes(listener);
  };
  await open(behind);
  const message = 'the link belongs to no open sign-in';
  tell({ type: 'link.refused', code: 'flow_expired', message } as never);
  await settle();
  expect(text('toast')).toContain(message);
  expect(screen.getByTestId('toast').dataset['tone']).toBe('bad');
});
