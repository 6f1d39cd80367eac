import type { Place } from '../lib/state/place.svelte';
import type { Tokenry } from '../lib/state/tokenry.svelte';

/** The keys of the help overlay. Not while something is typed, nor while a dialog is open. */
export function shortcut(event: KeyboardEvent, tokenry: Tokenry, place: Place): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat) return;
  if (types(event.target) || document.querySelector('dialog[open]') !== null) return;
  const act = actions(tokenry, place)[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function actions(tokenry: Tokenry, place: Place): Record<string, () => void> {
  const always = { '?': () => (place.help = true) };
  if (!tokenry.engine.unlocked) return always;
  return {
    ...always,
    n: () => place.go({ name: 'form' }),
    l: () => void tokenry.lock(),
    '/': () => document.querySelector<HTMLElement>('[data-filter]')?.focus(),
    ...(place.screen.name === 'form' ? { n: () => undefined, Escape: () => place.go({ name: 'providers' }) } : {}),
  };
}

function types(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const typed = target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type);
  return (
    typed || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}
