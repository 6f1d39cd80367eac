import { render, screen, waitFor } from '@testing-library/svelte';
import axe from 'axe-core';
import { describe, expect, it } from 'vitest';
import Consent from '../src/consent/Consent.svelte';
import { ARMS_AFTER } from '../src/consent/consent-state.svelte';
import { demoPrompts, MemoryPrompts } from '../dev/memory/prompts';
import type { Prompt } from '../src/lib/types';
import { click, settle, text, user } from './support';

async function asked(given: Partial<Prompt> = {}, questions = new MemoryPrompts()) {
  const prompt = questions.ask(given);
  render(Consent, { transport: questions });
  await settle();
  return { questions, prompt };
}

const armed = (testid: string) =>
  waitFor(() => expect(screen.getByTestId<HTMLButtonElement>(testid).disabled).toBe(false), {
    timeout: ARMS_AFTER * 4,
  });
const off = (testid: string) => screen.getByTestId<HTMLButtonElement>(testid).disabled;
const press = async (keys: string) => {
  await user.keyboard(keys);
  await settle();
};

describe('the question', () => {
  it('says who asks, for what, with what the token can really do, and for how long', async () => {
    await asked({ requested_scopes: ['read:user'], token_scopes: ['read:user', 'repo'], notes: ['No narrower one.'] });
    const all = screen.getByTestId('consent').textContent;
    for (const part of [
      'Let deploy use github/work as ada@example.org?',
      '/home/ada/bin/deploy',
      'deploy --all production',
      '/usr/bin/bash',
      '/dev/pts/3',
      '31337',
      'a different program could show this path',
      'No narrower one.',
      '12 h, or lock',
    ]) {
      expect(all).toContain(part);
    }
    expect(text('requested-scopes')).toBe('read:user');
    expect(text('token-scopes')).toBe('repo');
    expect(text('left')).toMatch(/^Denied automatically in (60|59) s\.$/);
  });

  it('about the end of a provider names it and its connections, and is for this once', async () => {
    const deleting = { operation: 'delete_provider', connection: null, account: null, for_session: false } as const;
    await asked({ ...deleting, disconnects: 2 });
    expect(text('headline')).toBe('Delete provider github and disconnect its 2 connections?');
    expect(screen.getByTestId('consent').textContent).toContain('This can’t be undone');
    expect(screen.queryByTestId('allow-session')).toBeNull();
  });

  it('about a change shows each field as it is and as it would be, and of a secret only that it changes', async () => {
    await asked({
      operation: 'move_endpoint',
      connection: null,
      account: null,
      for_session: false,
      changes: [
        { field: 'use_pkce', change: 'changed', from: 'true', to: 'false' },
        { field: 'client_secret', change: 'changed' },
        { field: 'userinfo_endpoint', change: 'removed', from: 'https://a.example/<b>' },
        { field: 'label', change: 'set', to: 'work' },
      ],
    });
    const cells = (row: HTMLElement) => [...row.children].map((cell) => cell.textContent.trim());
    expect(screen.getAllByTestId('change').map(cells)).toEqual([
      ['Use PKCE (S256)', 'true', 'false'],
      ['Client secret', 'hidden', 'changed (hidden)'],
      ['Userinfo endpoint', 'https://a.example/<b>', 'removed'],
      ['Label', 'none', 'work'],
    ]);
    expect(text('headline')).toBe('Change where secrets are sent?');
    expect(screen.queryByTestId('allow-session')).toBeNull();
  });

  it('about the end of a provider lists the connections that go', async () => {
    await asked({
      operation: 'delete_provider',
      disconnects: 3,
      disconnecting: ['github', 'github/work', 'and 1 more'],
    });
    expect(text('disconnecting')).toContain('github/work');
    expect(text('disconnecting')).toContain('and 1 more');
  });

  it('distinguishes a verified app from an unverified one', async () => {
    const questions = new MemoryPrompts();
    const first = questions.ask({ app: 'release-notes', app_proved: true });
    await asked({ app: 'release-notes', app_proved: false }, questions);
    expect(screen.getByTestId('consent').textContent).toMatch(/release-notes\s*verified/);
    expect(screen.queryByTestId('no-proof')).toBeNull();
    expect(text('waiting')).toBe('1 more waiting');
    questions.end(first.id);
    await settle();
    expect(screen.getByTestId('consent').textContent).toContain('unverified');
    expect(screen.getByTestId('no-proof')).toBeTruthy();
    expect(screen.queryByTestId('waiting')).toBeNull();
  });

  it('shows what others called themselves as text, set apart from the text around it', async () => {
    await asked({ program: '/bin/<img src=x onerror=alert(1)>', account: 'a\u05d0' });
    expect(screen.getByTestId('consent').textContent).toContain('<img src=x onerror=alert(1)>');
    expect(document.querySelector('img')).toBeNull();
    expect([...document.querySelectorAll('bdi')].some((part) => part.textContent === 'a\u05d0')).toBe(true);
  });
});

/** SECURITY.md, "Consent": Allow is not the default button and arms after 700 ms in focus. */
describe('an answer', () => {
  it('is no by default: Deny has the focus, and Enter presses it', async () => {
    const { questions, prompt } = await asked();
    expect(document.activeElement).toBe(screen.getByTestId('deny'));
    await press('{Enter}');
    expect(questions.answers).toEqual([{ id: prompt.id, body: { decision: 'deny', number: prompt.number } }]);
    expect(screen.getByTestId('nothing')).toBeTruthy();
  });

  it('is no on Escape, wherever the focus is', async () => {
    const { questions } = await asked();
    await armed('allow-session');
    screen.getByTestId('allow-session').focus();
    await press('{Escape}');
    expect(questions.answers.map(({ body }) => body.decision)).toEqual(['deny']);
  });

  it('cannot be Allow before the user can have read the prompt', async () => {
    const { questions } = await asked();
    expect([off('allow-once'), off('allow-session')]).toEqual([true, true]);
    await user.click(screen.getByTestId('allow-once'));
    expect(questions.answers).toEqual([]);
    await armed('allow-once');
    await click('allow-once');
    expect(questions.answers.map(({ body }) => body.decision)).toEqual(['once']);
  });

  it('to what the settings guard takes the passphrase, typed anew for each try, and a no takes none', async () => {
    const { questions, prompt } = await asked({
      operation: 'move_endpoint',
      for_session: false,
      needs_passphrase: true,
    });
    await new Promise((done) => setTimeout(done, ARMS_AFTER + 50));
    expect(off('allow-once')).toBe(true);
    await user.type(screen.getByTestId('passphrase'), 'wrong horse');
    await armed('allow-once');
    questions.failNext('validation_error', 'passphrase is wrong; type it again');
    await click('allow-once');
    expect(text('problem')).toContain('wrong');
    expect(screen.getByTestId<HTMLInputElement>('passphrase').value).toBe('');
    await user.type(screen.getByTestId('passphrase'), 'right horse');
    await armed('allow-once');
    await click('allow-once');
    expect(questions.answers[0]?.body).toEqual({
      decision: 'once',
      number: prompt.number,
      passphrase: 'right horse',
    });
    const { prompt: second } = { prompt: questions.ask({ needs_passphrase: true, for_session: false }) };
    await settle();
    await press('{Escape}');
    expect(questions.answers[1]).toEqual({ id: second.id, body: { decision: 'deny', number: second.number } });
  });

  it('for the session is there only where the engine can keep to it', async () => {
    const { questions, prompt } = await asked();
    await armed('allow-session');
    await click('allow-session');
    expect(questions.answers[0]?.body).toEqual({ decision: 'session', number: prompt.number });
    questions.ask({ for_session: false });
    await settle();
    expect(screen.queryByTestId('allow-session')).toBeNull();
  });

  it('has to wait again after the window was left, and when it comes back', async () => {
    await asked();
    await armed('allow-once');
    window.dispatchEvent(new Event('blur'));
    await settle();
    expect(off('allow-once')).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, ARMS_AFTER + 50));
    expect(off('allow-once')).toBe(true);
    window.dispatchEvent(new Event('focus'));
    await settle();
    expect(off('allow-once')).toBe(true);
    await armed('allow-once');
  });

  it('has to wait again when another question takes the place, with the focus back at Deny', async () => {
    const { questions, prompt } = await asked();
    questions.ask({ operation: 'refresh' });
    await settle();
    await armed('allow-once');
    screen.getByTestId('allow-once').focus();
    questions.end(prompt.id);
    await settle();
    expect(text('headline')).toBe('Refresh now?');
    expect([off('allow-once'), document.activeElement]).toEqual([true, screen.getByTestId('deny')]);
  });

  it('has to wait again when the same question says something else', async () => {
    const { questions, prompt } = await asked();
    await armed('allow-once');
    questions.change(prompt.id, { token_scopes: ['everything'] });
    await settle();
    expect([text('token-scopes'), off('allow-once')]).toEqual(['everything', true]);
  });

  it('that one more is waiting disturbs nothing', async () => {
    const { questions } = await asked();
    await armed('allow-once');
    questions.ask();
    await settle();
    expect([text('waiting'), off('allow-once')]).toEqual(['1 more waiting', false]);
  });

  it('that is refused says why, and can be given again', async () => {
    const { questions } = await asked();
    await armed('allow-once');
    questions.failNext('permission_denied', 'the question came up only just now');
    await click('allow-once');
    expect(text('problem')).toBe('the question came up only just now');
    expect(off('allow-once')).toBe(true);
    await armed('allow-once');
    await click('allow-once');
    expect(questions.answers).toHaveLength(1);
  });
});

describe('an app that wants to be authorized', () => {
  async function app(scene = 'app') {
    const questions = demoPrompts(scene);
    render(Consent, { transport: questions });
    await settle();
    return questions;
  }

  it('shows where the code goes and what it may then do, and nothing is ticked', async () => {
    await app();
    expect(screen.getByTestId('consent').textContent).toContain('http://127.0.0.1:8123/callback');
    expect(text('api-scopes')).toContain('act with them in your name');
    expect(screen.getAllByTestId<HTMLInputElement>('choice').some(({ checked }) => checked)).toBe(false);
  });

  it('gets only what was ticked, until the chosen end, and Allow needs one', async () => {
    const questions = await app();
    await new Promise((resolve) => setTimeout(resolve, ARMS_AFTER + 50));
    expect([off('allow-app'), text('choose-first')]).toEqual([true, 'Select at least one connection.']);
    await click('choice', 1);
    await user.selectOptions(screen.getByTestId('field-until'), 'day');
    await click('allow-app');
    const body = questions.answers[0]?.body;
    expect(body?.decision).toBe('authorize');
    expect(body?.connections).toHaveLength(1);
    const hours = (Date.parse(body?.until ?? '') - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(24);
  });

  it('has to be given a credential, too, where it wants to read some', async () => {
    const questions = await app('keys');
    await new Promise((resolve) => setTimeout(resolve, ARMS_AFTER + 50));
    await click('choice', 0);
    expect([off('allow-app'), text('choose-first')]).toEqual([true, 'Select at least one credential.']);
    await click('credential-choice', 1);
    expect(screen.queryByTestId('choose-first')).toBeNull();
    await click('allow-app');
    const body = questions.answers[0]?.body;
    expect([body?.connections?.length, body?.credentials?.length]).toEqual([1, 1]);
  });

  it('may add credentials without being given one', async () => {
    const add = { scope: 'credentials:write', description: 'Add', concerns_connections: false };
    await asked({ operation: 'authorize_app', api_scopes: [{ ...add, concerns_credentials: true }] });
    expect(screen.getByTestId('consent').textContent).toContain('No credentials yet');
    expect(screen.queryByTestId('choose-first')).toBeNull();
    await armed('allow-app');
  });
});

it.each(['token', 'more', 'app', 'keys', 'hostile', 'credential'])(
  'axe finds nothing wrong with the scene %s',
  async (name) => {
    document.documentElement.lang = 'en';
    document.title = 'Permission request - Tokenry';
    render(Consent, { transport: demoPrompts(name) });
    await settle();
    const { violations } = await axe.run(document, { rules: { 'color-contrast': { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  },
  30_000,
);
