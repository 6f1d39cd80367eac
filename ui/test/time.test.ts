import { expect, it } from 'vitest';
import { ago, span } from '../src/lib/text/time';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it('a span has two parts at most, is rounded down and never below zero', () => {
  const spans: [number, string][] = [
    [-5, '0 s'],
    [999, '0 s'],
    [9_900, '9 s'],
    [MINUTE, '1 min'],
    [42 * MINUTE + 10_500, '42 min 10 s'],
    [3 * HOUR + 12 * MINUTE + 59_000, '3 h 12 min'],
    [24 * HOUR, '1 day'],
    [49 * HOUR + MINUTE, '2 days 1 h'],
  ];
  for (const [ms, text] of spans) expect(span(ms)).toBe(text);
});

it('what is past is said coarsely, and a clock that runs ahead is "just now"', () => {
  expect(ago(-10_000)).toBe('just now');
  expect(ago(59_000)).toBe('just now');
  expect(ago(3 * MINUTE)).toBe('3 min ago');
  expect(ago(90 * MINUTE)).toBe('1 h ago');
  expect(ago(50 * HOUR)).toBe('2 days ago');
});
