/** The panel of a sign-in on another device (RFC 8628). */
import { screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { aDeviceCode } from '../dev/memory/samples';
import { qrCode } from '../src/lib/text/qr';
import { body, click, newTransport, open, settle, text, withConnection, withProvider } from './support';

const BOTH = { device_authorization_endpoint: 'https://sandbox.example/device/code' };
const ONLY = { ...BOTH, authorization_endpoint: null };

const asked = (transport: ReturnType<typeof newTransport>, end: string) =>
  transport.lines.filter((line) => line.startsWith('POST') && line.endsWith(end)).length;

it('shows the code, the page and a QR code, and opens no browser by itself', async () => {
  const transport = newTransport();
  withProvider(transport, BOTH);
  await open(transport);
  await click('connect-device-sandbox');
  expect([asked(transport, '/device'), asked(transport, '/authorize'), asked(transport, '/open')]).toEqual([1, 0, 0]);
  expect(document.activeElement).toBe(screen.getByTestId('waiting'));
  expect(text('device-code')).toBe('WDJB-MJHT');
  expect(text('device-page')).toBe('https://sandbox.example/device');
  expect(text('waiting')).toMatch(/must show the same code.*Expires in/s);
  expect(screen.getByTestId('qr').getAttribute('role')).toBe('img');
  expect(screen.queryByTestId('paste-toggle')).toBeNull();
  await click('copy-code');
  await click('copy-page');
  expect(transport.copied).toEqual(['WDJB-MJHT', 'https://sandbox.example/device']);
  await click('open-page');
  expect(asked(transport, '/open')).toBe(1);
  await click('cancel-flow');
  expect(screen.queryByTestId('waiting')).toBeNull();
});

it('Connect is this way where the provider has no page for a browser', async () => {
  const transport = newTransport();
  withProvider(transport, ONLY);
  await open(transport);
  expect(screen.queryByTestId('connect-device-sandbox')).toBeNull();
  await click('connect-sandbox');
  expect(text('device-code')).toBe('WDJB-MJHT');
  expect(asked(transport, '/open')).toBe(0);
});

it('a provider without a device endpoint does not offer it', async () => {
  const transport = newTransport();
  withProvider(transport);
  await open(transport);
  await click('connect-sandbox');
  expect(screen.queryByTestId('connect-device-sandbox')).toBeNull();
  expect(screen.queryByTestId('device-instead')).toBeNull();
});

it('an expired code says so, and Try again brings a new one', async () => {
  const transport = newTransport();
  withProvider(transport, BOTH);
  await open(transport);
  await click('connect-device-sandbox');
  const [flow] = [...transport.engine.flows.keys()];
  transport.engine.end(flow ?? '', { status: 'expired' });
  await settle();
  expect(text('flow-ended')).toContain('The code expired.');
  await click('try-flow-again');
  expect(text('device-code')).toBe('WDJB-MJHT');
  expect([asked(transport, '/device'), asked(transport, '/authorize')]).toEqual([2, 0]);
});

it('a sign-in in the browser is exchanged for one on another device, for the same connection', async () => {
  const transport = newTransport();
  const lost = withConnection(transport, withProvider(transport, BOTH), { status: 'needs_reauth', reason: 'expired' });
  await open(transport);
  await click('connect-again');
  await click('device-instead');
  expect(screen.getAllByTestId('waiting')).toHaveLength(1);
  expect(text('waiting')).toContain('Signing in again');
  expect(body(transport, `POST /v1/oauth-providers/${lost.provider_id}/device`)).toEqual({ connection: lost.id });
});

it('the panel is shown also of a sign-in that a program started, and tried again in the same way', async () => {
  const transport = newTransport();
  const provider = withProvider(transport, BOTH);
  await open(transport);
  const flow = transport.engine.start(provider, undefined, undefined, aDeviceCode(provider));
  await settle();
  expect(text('device-code')).toBe('WDJB-MJHT');
  transport.engine.end(flow.id, { status: 'failed', code: 'consent_denied', message: 'The user refused.' });
  await settle();
  await click('try-flow-again');
  expect(asked(transport, '/device')).toBe(1);
});

it('a QR code has a margin of four light modules, and a text that is too long has none', () => {
  const code = qrCode('https://sandbox.example/device?user_code=WDJB-MJHT');
  expect(code?.size).toBe(33 + 8);
  expect(code?.path.startsWith('M4 4h1v1h-1zM5 4')).toBe(true);
  expect(code?.path).not.toMatch(/M[0-3] /);
  expect(qrCode('x'.repeat(5000))).toBeUndefined();
});
