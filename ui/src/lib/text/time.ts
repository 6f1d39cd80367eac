/** Spans of time in messages. All times in milliseconds. */
import { messages } from '../messages';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two parts at most: `2 days 3 h`, `3 h 12 min`, `42 min 10 s`, `9 s`. Rounded down; nothing below zero. */
export function span(ms: number): string {
  const whole = Math.max(0, ms);
  const parts: [number, (n: number) => string][] = [
    [DAY, messages.time.days],
    [HOUR, messages.time.hours],
    [MINUTE, messages.time.minutes],
    [SECOND, messages.time.seconds],
  ];
  const at = parts.findIndex(([unit]) => whole >= unit);
  const [big, small] = [parts[at], parts[at + 1]];
  if (!big) return messages.time.seconds(0);
  const text = big[1](Math.floor(whole / big[0]));
  const rest = small ? Math.floor((whole % big[0]) / small[0]) : 0;
  return small && rest > 0 ? `${text} ${small[1](rest)}` : text;
}

/** How long ago, coarsely, as it would be said. */
export function ago(ms: number): string {
  if (ms < MINUTE) return messages.time.now;
  const say = (unit: number, name: (n: number) => string) => messages.time.ago(name(Math.floor(ms / unit)));
  if (ms < HOUR) return say(MINUTE, messages.time.minutes);
  if (ms < DAY) return say(HOUR, messages.time.hours);
  return say(DAY, messages.time.days);
}

/** The day and the time, as it is said of one that comes soon: `Friday, 15 January, 14:00`. */
export function day(at: string): string {
  return new Date(at).toLocaleString(undefined, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** The moment in full, for a tooltip. */
export function moment(at: string): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}
