import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

function colours(block: string): Map<string, string> {
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name ?? '', value ?? '']),
  );
}

const schemes = { light: colours(light), dark: new Map([...colours(light), ...colours(dark)]) };

/** Text, and what it stands on. */
const TEXTS: [string, string[]][] = [
  ['text', ['page', 'surface', 'sunken', 'hover', 'good-back', 'wait-back', 'warn-back', 'bad-back', 'idle-back']],
  ['muted', ['page', 'surface', 'sunken', 'hover', 'wait-back', 'warn-back']],
  ['accent', ['surface']],
  ['on-accent', ['accent', 'accent-hover']],
  ['on-bad', ['bad-strong']],
  ['good', ['surface', 'good-back']],
  ['wait', ['surface', 'wait-back']],
  ['warn', ['surface', 'warn-back']],
  ['bad', ['page', 'surface', 'bad-back']],
  ['idle', ['surface', 'idle-back']],
];

/** The edge of a control, and the ring of the focus, beside what is around them. */
const EDGES: [string, string[]][] = [
  ['line-strong', ['page', 'surface']],
  ['focus', ['page', 'surface']],
];

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe.each(Object.entries(schemes))('in the %s scheme', (_, colour) => {
  const all = [...TEXTS.map((pair) => [...pair, 4.5] as const), ...EDGES.map((pair) => [...pair, 3] as const)].flatMap(
    ([front, backs, least]) => backs.map((back) => [front, back, least] as const),
  );

  it.each(all)('%s on %s can be read', (front, back, least) => {
    const ratio = contrast(colour.get(front) ?? '#000000', colour.get(back) ?? '#000000');
    expect(ratio).toBeGreaterThanOrEqual(least);
  });
});
