import { messages } from '../messages';
import type { Failure } from '../transport/failure';

/** From the name of a field to what is wrong with it. */
export type Problems = Record<string, string>;

/** What a refusal says that no field of the page shows; `undefined` when its fields say all of it. */
export function problemsElsewhere(failure: Failure, shown: string[]): string | undefined {
  const fields = Object.entries(failure.fields);
  if (fields.length === 0) return failure.message || messages.errors[failure.code].next;
  const others = fields.filter(([field]) => !shown.includes(field));
  return others.map(([field, text]) => messages.common.of(field, text)).join(' ') || undefined;
}
