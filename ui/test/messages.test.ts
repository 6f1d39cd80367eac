import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { face } from '../src/lib/faces';
import type { ErrorCode } from '../src/lib/types';
import { words } from '../src/lib/words';

const codes = Object.keys(words.errors) as ErrorCode[];

it('every error code of the contract has a face of its own: what happened, and what to do', () => {
  // The type already says that none is missing; this says that the contract and the table are about the same list.
  const contract = readFileSync('src/lib/contract.ts', 'utf8');
  const listed = /ErrorCode:([^;]+);/.exec(contract)?.[1]?.match(/"(\w+)"/g) ?? [];
  expect(listed.map((code) => code.slice(1, -1)).sort()).toEqual([...codes].sort());
  for (const code of codes) {
    expect(face(code).title, code).toMatch(/^[A-Z].*[^.]$/);
    expect(face(code).next, code).toMatch(/^[A-Z].*\.$/);
  }
  expect(new Set(codes.map((code) => face(code).title)).size).toBe(codes.length);
});

it('a code that is newer than this window looks like an internal error', () => {
  expect(face('from_the_future' as ErrorCode)).toBe(words.errors.internal);
});

it('no text of the window calls one of the nouns something else', () => {
  const all: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string') all.push(value);
    else if (typeof value === 'function') collect((value as (...given: unknown[]) => unknown)('2', '2'));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(words);
  expect(all.length).toBeGreaterThan(200);
  const synonyms = all.filter((text) =>
    /\b(integrations?|connectors?|identity provider|log entr|applications?)\b/i.test(text),
  );
  expect(synonyms).toEqual([]);
});
