import { screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { click, newTransport, open, settle, text, type, user, withConnection, withProvider } from './support';

async function openTools(transport = newTransport()) {
  await open(transport);
  await click('nav-tools');
  return transport;
}

const state = (tool: string) => screen.getByTestId(`tool-${tool}`).dataset['state'];

describe('the tools of the machine', () => {
  it('are listed with their state, and those that are missing come last', async () => {
    const transport = newTransport();
    transport.tools.list[1]?.entries.push({
      target: 'https://mcp.example.com/mcp',
      paths: ['/home/ada/.cursor/mcp.json'],
      problem: null,
      address: { url: 'https://mcp.example.com/mcp', kind: 'mcp' },
    });
    await openTools(transport);
    expect([state('git'), state('mcp'), state('docker')]).toEqual(['not_set_up', 'works', 'not_installed']);
    expect(text('tool-entry')).toContain('/home/ada/.cursor/mcp.json');
    expect(screen.queryByTestId('set-up-docker')).toBeNull();
  });

  it('do not work without a connection that serves them, which is said', async () => {
    const transport = newTransport();
    const url = 'https://github.com';
    transport.tools.list[0]?.entries.push({ target: url, paths: [], problem: null, address: { url, kind: 'git' } });
    await openTools(transport);
    expect(state('git')).toBe('problem');
    expect(text('tool-problem')).toContain('No connection serves https://github.com');
    const provider = withProvider(transport);
    const connection = withConnection(transport, provider, { status: 'needs_reauth' });
    const serving = {
      connection_id: connection.id,
      connection_name: connection.name,
      provider_name: provider.name,
      named_by: 'preset',
      address: url,
      kinds: ['git'],
      user_names: {},
    } as const;
    transport.engine.serving.set(url, [{ ...serving, kinds: ['api'] }]);
    await click('check-tools');
    expect(text('tool-problem')).toContain('No connection serves');
    transport.engine.serving.set(url, [{ ...serving, kinds: ['git'] }]);
    transport.engine.putConnection(connection);
    await settle();
    await click('check-tools');
    expect(text('tool-problem')).toBe('sandbox needs a new sign-in.');
    transport.engine.putConnection({ ...connection, status: 'active' });
    await settle();
    await click('check-tools');
    expect(state('git')).toBe('works');
  });
});

describe('a tool without a connection, or with several,', () => {
  it('gets the one that the user chooses, in place of what presets name', async () => {
    const transport = newTransport();
    const url = 'https://github.com';
    transport.tools.list[0]?.entries.push({ target: url, paths: [], problem: null, address: { url, kind: 'git' } });
    const provider = withProvider(transport);
    const names = ['home', 'work', 'other'];
    const made = names.map((label) => withConnection(transport, provider, { label, name: `sandbox/${label}` }));
    const candidates = () => [...screen.getByTestId('field-connection').querySelectorAll('option')];
    await openTools(transport);
    expect(candidates().map(({ textContent }) => textContent)).toEqual([
      'sandbox/home',
      'sandbox/other',
      'sandbox/work',
    ]);

    const preset = { provider_name: provider.name, named_by: 'preset', address: url, user_names: {} } as const;
    const served = made.slice(0, 2).map(({ id, name }) => {
      return { ...preset, connection_id: id, connection_name: name, kinds: ['git'] };
    });
    transport.engine.serving.set(url, served);
    await click('check-tools');
    expect(text('tool-problem')).toContain('Several connections serve https://github.com');
    expect(candidates().length).toBe(2);
    await user.selectOptions(screen.getByTestId('field-connection'), 'sandbox/work');
    await click('use-connection');
    expect(transport.engine.connections.get(made[1]?.id ?? '')?.bindings).toEqual([url]);
    expect(state('git')).toBe('works');
    expect(screen.queryByTestId('entry-connection')).toBeNull();
  });
});

describe('setting up a tool', () => {
  it('shows the change first and writes it after a second click', async () => {
    const transport = await openTools();
    await click('set-up-git');
    await type('field-address', 'git.example');
    await click('show-change');
    expect(text('change')).toContain('+[credential "git.example"]');
    expect(transport.tools.list[0]?.entries).toEqual([]);
    await click('write-change');
    expect(screen.queryByTestId('setup-dialog')).toBeNull();
    expect(transport.tools.list[0]?.entries[0]?.target).toBe('git.example');
    expect(text('tool-entry')).toContain('git.example');
  });

  it('shows the change again when the host is another one', async () => {
    await openTools();
    await click('set-up-git');
    await click('show-change');
    await type('field-address', 'git.example');
    expect(screen.queryByTestId('change')).toBeNull();
    expect(screen.queryByTestId('write-change')).toBeNull();
  });

  it('says what is wrong and writes nothing', async () => {
    const transport = await openTools();
    await click('set-up-mcp');
    await user.keyboard('{Enter}');
    await click('show-change');
    expect(screen.getByRole('alert').textContent).toContain('Give an address.');
    await type('field-address', 'https://mcp.example.com/mcp');
    await click('show-change');
    transport.failNext('SETUP write', { code: 'conflict', message: 'config.json was changed meanwhile' });
    await click('write-change');
    expect(screen.getByRole('alert').textContent).toContain('was changed meanwhile');
    expect(transport.tools.list[1]?.entries).toEqual([]);
    expect(screen.queryByTestId('change')).toBeNull();
  });

  it('is undone after the change was shown', async () => {
    const transport = await openTools();
    await click('set-up-git');
    await click('show-change');
    await click('write-change');
    await click('undo-setup');
    expect(text('change')).toContain('-[credential "github.com"]');
    expect(screen.queryByTestId('field-address')).toBeNull();
    await click('write-change');
    expect(transport.tools.list[0]?.entries).toEqual([]);
    expect(state('git')).toBe('not_set_up');
  });

  it('can be done with the keyboard alone', async () => {
    const transport = await openTools();
    screen.getByTestId('set-up-git').focus();
    await user.keyboard('{Enter}');
    await settle();
    screen.getByTestId('field-address').focus();
    await user.keyboard('{Enter}');
    await settle();
    expect(text('change')).toContain('github.com');
    await user.keyboard('{Enter}');
    await settle();
    expect(transport.tools.list[0]?.entries.length).toBe(1);
  });
});
