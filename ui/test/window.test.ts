import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { click, newTransport, open, settle, text } from './support';

it('a link that belongs to no sign-in is told, on the lock screen too', async () => {
  const transport = newTransport();
  transport.engine.vault = { ...transport.engine.vault, state: 'locked' };
  await open(transport);
  transport.engine.say({ type: 'link.refused', code: 'flow_expired', message: 'this sign-in is over; start again' });
  await settle();
  expect(text('toast')).toContain('Redirect rejected');
  expect(text('toast')).toContain('sign-in is over; start again');
});

it('a window that was loaded anew says why', async () => {
  const transport = newTransport();
  await open(transport);
  transport.engine.say({ type: 'window.notice', notice: 'reloaded' });
  await settle();
  expect(text('toast')).toContain('The window was reloaded');
});

it.each(['keep', 'end', 'stay'] as const)(
  'where there is no tray, closing asks, and %s is an answer',
  async (answer) => {
    const transport = newTransport();
    await open(transport);
    transport.engine.say({ type: 'window.notice', notice: 'closing_without_tray' });
    await settle();
    expect(text('closing-dialog')).toContain('Programs get no tokens until you start Tokenry again.');
    await click(`closing-${answer}`);
    expect(transport.closings).toEqual([answer]);
    expect(screen.queryByTestId('closing-dialog')).toBeNull();
  },
);
