/**
 * Where the focus goes when what had it is taken off the screen: a browser lets it fall to the page, and a user who works
 * by keyboard or screen reader starts at the top again. Here it goes to
 *
 * 1. the nearest part around it that is still there and can have it (`tabindex`), else
 * 2. what the part texts that is gone: `data-lands`, keys of rows with a space between, the first one that there is, else
 * 3. the `main` of the screen.
 *
 * `land` gives the focus to the row with this key, and texts whether there is one. Returns how to stop.
 */
export function keepFocus(land: (key: string) => boolean): () => void {
  /** What had the focus last, and what was around it, from the inside out. */
  let around: HTMLElement[] = [];

  const remember = ({ target }: FocusEvent) => {
    around = [];
    for (let at = target instanceof HTMLElement ? target : null; at; at = at.parentElement) around.push(at);
  };
  const forget = ({ target }: FocusEvent) => {
    // Only what left by being taken away is looked after: not what the user left.
    setTimeout(() => {
      if (around[0] === target && around[0]?.isConnected && nothing()) around = [];
    });
  };
  const mend = () => {
    const [lost] = around;
    if (!lost || lost.isConnected || !nothing()) return;
    const parts = around;
    around = [];
    if (!parts.some((part) => goes(part, land))) document.querySelector('main')?.focus();
  };

  const watch = new MutationObserver(mend);
  watch.observe(document.body, { childList: true, subtree: true });
  document.addEventListener('focusin', remember);
  document.addEventListener('focusout', forget);
  return () => {
    watch.disconnect();
    document.removeEventListener('focusin', remember);
    document.removeEventListener('focusout', forget);
  };
}

const nothing = () => document.activeElement === null || document.activeElement === document.body;

function goes(part: HTMLElement, land: (key: string) => boolean): boolean {
  if (!part.isConnected) return (part.dataset['lands'] ?? '').split(' ').some((key) => key !== '' && land(key));
  if (!part.hasAttribute('tabindex')) return false;
  part.focus();
  return document.activeElement === part;
}
