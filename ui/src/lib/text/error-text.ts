/** What an error code means in words. */
import { messages, type Messages } from '../messages';
import type { ErrorCode } from '../types';

/** A code that this window does not know is an internal error. */
export function errorText(code: ErrorCode): Messages['errors'][ErrorCode] {
  return messages.errors[code] ?? messages.errors.internal;
}
