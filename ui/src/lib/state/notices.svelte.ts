import { Failure } from '../transport/failure';
import { errorText } from '../text/error-text';

/** A message that belongs to no part of the screen. */
export interface Notice {
  id: number;
  tone: 'good' | 'bad' | 'plain';
  title: string;
  message?: string | undefined;
  requestId?: string | undefined;
}

/** How long a success is shown, in milliseconds. A failure stays until it is dismissed. */
const NOTICE_TTL = 8000;

export class Notices {
  list = $state<Notice[]>([]);
  #next = 1;

  say(title: string, message?: string, tone: Notice['tone'] = 'good'): void {
    const id = this.#add({ tone, title, message });
    if (!message) setTimeout(() => this.dismiss(id), NOTICE_TTL);
  }

  fail(cause: unknown): void {
    const failure = Failure.from(cause);
    const { title, next } = errorText(failure.code);
    const unexpected = failure.code === 'internal' && failure.requestId !== '';
    this.#add({
      tone: 'bad',
      title,
      message: failure.message || next,
      requestId: unexpected ? failure.requestId : undefined,
    });
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  clear(): void {
    this.list = [];
  }

  #add(notice: Omit<Notice, 'id'>): number {
    const id = this.#next++;
    // The same said twice is said once, and no more than three at a time.
    const others = this.list.filter((old) => old.title !== notice.title || old.message !== notice.message);
    this.list = [...others, { id, ...notice }].slice(-3);
    return id;
  }
}
