/**
 * Every text of both windows, in the language of the system.
 *
 * A language is one folder beside `en`, whose `index.ts` exports `messages` of the type `Messages`. No other file
 * changes for it.
 */
import { messages as en } from './en';

export type Messages = typeof en;

const modules = import.meta.glob<Messages>('./*/index.ts', { eager: true, import: 'messages' });

/** From the tag of a language, `en` for example, to its messages. */
export const languages: ReadonlyMap<string, Messages> = new Map(
  Object.entries(modules).map(([path, messages]) => [path.split('/')[1] ?? '', messages]),
);

/** The first of these languages that has messages, or English. A region is optional: `de` serves `de-AT`. */
export function languageOf(wanted: readonly string[]): string {
  const known = wanted.map((tag) => (languages.has(tag) ? tag : (tag.split('-')[0] ?? '')));
  return known.find((tag) => languages.has(tag)) ?? 'en';
}

export const language = languageOf(navigator.languages);

export const messages: Messages = languages.get(language) ?? en;
