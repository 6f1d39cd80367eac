import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { languageOf, languages, messages } from '../src/lib/messages';
import { errorText } from '../src/lib/text/error-text';
import type { ErrorCode } from '../src/lib/types';

/** Every text with its path; what a function returns for `2`. */
function texts(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return texts((value as (...given: unknown[]) => unknown)('2', '2'), path);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => texts(part, `${path}.${key}`));
}

const all = texts(messages);

describe('error codes', () => {
  const codes = Object.keys(messages.errors) as ErrorCode[];

  it('each of the contract has a text: what happened, and what to do', () => {
    // The type already says that none is missing; this says that the contract and the table have the same list.
    const contract = readFileSync('src/lib/contract.ts', 'utf8');
    const listed = /ErrorCode:([^;]+);/.exec(contract)?.[1]?.match(/"(\w+)"/g) ?? [];
    expect(listed.map((code) => code.slice(1, -1)).sort()).toEqual([...codes].sort());
    for (const code of codes) {
      expect(errorText(code).title, code).toMatch(/^[A-Z].*[^.]$/);
      expect(errorText(code).next, code).toMatch(/^[A-Z].*\.$/);
    }
    expect(new Set(codes.map((code) => errorText(code).title)).size).toBe(codes.length);
  });

  it('an unknown one reads as an internal error', () => {
    expect(errorText('from_the_future' as ErrorCode)).toBe(messages.errors.internal);
  });
});

describe('languages', () => {
  it('each has every text of English, with the same parameters', () => {
    const shape = (value: unknown): unknown =>
      typeof value === 'function'
        ? value.length
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shape(part)]))
          : typeof value;
    expect(languages.size).toBeGreaterThan(0);
    for (const [tag, of] of languages) expect(shape(of), tag).toEqual(shape(languages.get('en')));
  });

  it('the first known one is taken, with or without its region, else English', () => {
    expect(languageOf(['xx', 'en-GB'])).toBe('en');
    expect(languageOf(['xx-YY'])).toBe('en');
    expect(languageOf([])).toBe('en');
  });
});

describe('texts', () => {
  it('keep to the four nouns', () => {
    expect(all.length).toBeGreaterThan(200);
    const synonym = /\b(integrations?|connectors?|identity provider|log entr|applications?)\b/i;
    expect(all.filter(([, text]) => synonym.test(text))).toEqual([]);
  });

  // The style check of `cargo xtask lint` finds the words that no file may have.
  it('are plain English', () => {
    const metaphor = /\b(hand(s|ed|ing)? out|a person|take(n)? away|sealed?|words)\b/i;
    expect(all.filter(([, text]) => metaphor.test(text))).toEqual([]);
  });
});
