import type { ErrorCode } from './types';
import { words, type Face } from './words';

/** What an error code looks like. The table is exhaustive by its type; a code that is newer than this window is `internal`. */
export function face(code: ErrorCode): Face {
  return words.errors[code] ?? words.errors.internal;
}
