/** Texts that several screens use. */

/** `1 connection`, `2 connections`. */
export const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

export const common = {
  app: 'Tokenry',
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  dismiss: 'Dismiss',
  tryAgain: 'Try again',
  copy: 'Copy',
  copied: 'Copied.',
  copyFailed: 'The clipboard is not available. Select the text and copy it.',
  loading: 'Loading…',
  optional: 'optional',
  required: 'Required',
  needName: 'Enter a name.',
  errorId: (id: string) => `Error ID: ${id}`,
  matches: (n: number) => count(n, 'match', 'matches'),
  noMatches: 'No matches.',
  unsaved: 'You have unsaved changes. Press Esc again, or Cancel, to discard them.',
  filterKey: 'Ctrl K',
  /** The name of a button or a field, and the thing it is for. */
  of: (text: string, name: string) => `${text}: ${name}`,
};

export const time = {
  left: (text: string) => `in ${text}`,
  ago: (text: string) => `${text} ago`,
  now: 'just now',
  never: 'never',
  days: (n: number) => count(n, 'day', 'days'),
  hours: (n: number) => `${n} h`,
  minutes: (n: number) => `${n} min`,
  seconds: (n: number) => `${n} s`,
};
