import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, newTransport, open, text, withProvider } from './support';

describe('the check of a provider', () => {
  it('shows what was found and what to do, and can be repeated', async () => {
    const transport = newTransport();
    withProvider(transport);
    transport.engine.checked = {
      result: 'problem',
      checks: [
        { name: 'token_endpoint', result: 'ok', text: 'sandbox.example answers.' },
        { name: 'client_authentication', result: 'problem', text: 'invalid_client', next: 'Compare the secret.' },
      ],
    };
    await open(transport);
    await click('check-sandbox');
    expect(text('check-summary')).toBe('1 problem found.');
    expect(text('checked-client_authentication')).toContain('Compare the secret.');
    transport.engine.checked = { result: 'ok', checks: [{ name: 'clock', result: 'not_checked', text: 'No time.' }] };
    await click('check-again');
    expect(text('check-summary')).toBe('No problems found.');
    expect(screen.queryByTestId('checked-client_authentication')).toBeNull();
    await click('close-check');
    expect(screen.queryByTestId('check-dialog')).toBeNull();
  });

  it('is in the form, too, and an error closes it', async () => {
    const transport = newTransport();
    const provider = withProvider(transport);
    await open(transport);
    await click('edit-sandbox');
    transport.engine.providers.delete(provider.id);
    await click('check-sandbox');
    expect(screen.queryByTestId('check-dialog')).toBeNull();
    expect(transport.requests.at(-1)?.line).toContain('/check');
  });
});

describe('the check of the installation', () => {
  it('shows what the engine found', async () => {
    const transport = newTransport();
    transport.engine.checked = {
      result: 'warning',
      checks: [{ name: 'deep_link', result: 'warning', text: 'No program opens links.', next: 'Start the app once.' }],
    };
    await open(transport);
    await click('nav-settings');
    await click('check-installation');
    expect(text('check-summary')).toBe('1 warning, no problems.');
    expect(text('checked-deep_link')).toContain('Start the app once.');
  });
});
