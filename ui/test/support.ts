import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import App from '../src/App.svelte';
import { MemoryTransport } from '../dev/memory/transport';
import { nextId } from '../dev/memory/engine';
import { aConnection, aProvider } from '../dev/memory/samples';
import type { Connection, Provider } from '../src/lib/types';

export const ADA = { display_name: 'ada@example.org', subject: '1', email: 'ada@example.org' };

export const user = userEvent.setup();

export function newTransport(): MemoryTransport {
  return new MemoryTransport();
}

export function withProvider(transport: MemoryTransport, given: Partial<Provider> = {}): Provider {
  const provider = aProvider({ id: nextId(), name: 'sandbox', display_name: 'Sandbox', ...given });
  transport.engine.providers.set(provider.id, provider);
  return provider;
}

export function withConnection(
  transport: MemoryTransport,
  provider: Provider,
  given: Partial<Connection> = {},
): Connection {
  const connection = aConnection(provider, { id: nextId(), account: ADA, ...given });
  transport.engine.connections.set(connection.id, connection);
  return connection;
}

/** Renders the whole window over this transport and waits until it shows something. */
export async function open(transport: MemoryTransport) {
  const window = render(App, { transport });
  await waitFor(() => {
    if (!screen.queryByTestId('lock-screen') && !screen.queryByTestId('nav-providers')) throw new Error('not yet');
  });
  await settle();
  return window;
}

/** Until everything that was asked for has arrived and is drawn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve));
}

export async function click(testid: string, index = 0): Promise<void> {
  const found = screen.getAllByTestId(testid)[index];
  if (!found) throw new Error(`there is no ${testid} number ${index}`);
  await user.click(found);
  await settle();
}

export async function type(testid: string, text: string): Promise<void> {
  const field = screen.getByTestId(testid);
  await user.clear(field);
  if (text !== '') await user.type(field, text.replace(/[{[]/g, '$&$&'));
  await settle();
}

export function text(testid: string, index = 0): string {
  return screen.getAllByTestId(testid)[index]?.textContent.trim() ?? '';
}

export function body(transport: MemoryTransport, line: string): unknown {
  return transport.requests.findLast((asked) => asked.line.startsWith(line))?.body;
}
