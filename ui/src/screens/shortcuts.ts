import type { Router } from '../lib/state/router.svelte';
import type { Tokenry } from '../lib/state/tokenry.svelte';

/**
 * The keys of the help overlay. Each has a modifier or is no character (WCAG 2.1.4): a single letter would be typed by
 * speech input and by accident. Not while a dialog is open.
 */
export function shortcut(event: KeyboardEvent, tokenry: Tokenry, router: Router): void {
  if (event.altKey || event.shiftKey || event.defaultPrevented || event.repeat) return;
  if (document.querySelector('dialog[open]') !== null) return;
  // On a Mac the command key does what Control does elsewhere.
  const name = event.ctrlKey || event.metaKey ? `Ctrl+${event.key.toUpperCase()}` : event.key;
  if (name === 'Escape' && types(event.target)) return;
  const act = actions(tokenry, router)[name];
  if (!act) return;
  event.preventDefault();
  act();
}

function actions(tokenry: Tokenry, router: Router): Record<string, () => void> {
  const always = { F1: () => (router.help = true) };
  if (!tokenry.engine.unlocked) return always;
  const inForm = router.screen.name === 'form' || router.screen.name === 'add';
  return {
    ...always,
    'Ctrl+N': () => {
      if (!inForm) router.go({ name: 'add' });
    },
    'Ctrl+L': () => void tokenry.lock(),
    'Ctrl+K': () => document.querySelector<HTMLElement>('[data-filter]')?.focus(),
    ...(inForm ? { Escape: () => router.go({ name: 'providers' }) } : {}),
  };
}

function types(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const typed = target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type);
  return (
    typed || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}
