import type { AnswerPrompt, Prompt } from '../lib/types';
import type { ConsentTransport } from './transport';
import { messages } from '../lib/messages';

/**
 * So long must a question be on the screen, in focus, before it can be allowed; in milliseconds. The shell counts 700
 * by its own clock, which starts a moment before this one.
 */
export const ARMS_AFTER = 750;

/** The question on the screen, and whether it can be allowed yet. */
export class ConsentState {
  prompt = $state.raw<Prompt>();
  loaded = $state(false);
  /** Whether Allow can be pressed. */
  armed = $state(false);
  /** An answer is under way, or was taken. */
  answering = $state(false);
  problem = $state<string>();
  /** Milliseconds since 1970. */
  now = $state(Date.now());

  readonly #transport: ConsentTransport;
  #elsewhere = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ticket = 0;

  constructor(transport: ConsentTransport) {
    this.#transport = transport;
  }

  /** Listens first and looks then. Returns how to stop. */
  async start(): Promise<() => void> {
    const clock = setInterval(() => (this.now = Date.now()), 1000);
    const stop = await this.#transport.changes(() => void this.look());
    await this.look();
    return () => {
      clearInterval(clock);
      clearTimeout(this.#timer);
      stop();
    };
  }

  /** Asks which question is the first. */
  async look(): Promise<void> {
    const ticket = ++this.#ticket;
    const first = await this.#first();
    if (ticket !== this.#ticket) return;
    this.loaded = true;
    this.now = Date.now();
    const changed = content(first) !== content(this.prompt);
    this.prompt = first;
    if (!changed) return;
    this.answering = false;
    this.problem = undefined;
    this.#arm();
  }

  /** The window got or lost the focus: the time to read begins anew. */
  focused(focused: boolean): void {
    this.#elsewhere = !focused;
    this.#arm();
  }

  async deny(): Promise<void> {
    await this.#answer({ decision: 'deny' });
  }

  async allow(answer: AnswerPrompt): Promise<void> {
    if (this.armed) await this.#answer(answer);
  }

  async #answer(answer: AnswerPrompt): Promise<void> {
    const { prompt } = this;
    if (!prompt || this.answering) return;
    this.answering = true;
    this.problem = undefined;
    const wrong = await this.#send(prompt, answer);
    // Another question may be there by now; how the last one went is not about it.
    if (this.prompt?.id !== prompt.id) return;
    if (wrong === undefined) return this.look();
    this.answering = false;
    this.problem = wrong;
    this.#arm();
    await this.look();
  }

  /** What went wrong, if anything did. */
  async #send(prompt: Prompt, answer: AnswerPrompt): Promise<string | undefined> {
    const body = prompt.number ? { ...answer, number: prompt.number } : answer;
    try {
      const { status, body: said } = await this.#transport.request('POST', `/v1/prompts/${prompt.id}/answer`, body);
      return status < 300 ? undefined : message(said);
    } catch (cause) {
      return message(cause);
    }
  }

  async #first(): Promise<Prompt | undefined> {
    try {
      const { status, body } = await this.#transport.request('GET', '/v1/prompts');
      return status < 300 && Array.isArray(body) ? (body as Prompt[])[0] : undefined;
    } catch {
      return undefined;
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.armed = false;
    if (this.#elsewhere || !this.prompt) return;
    this.#timer = setTimeout(() => (this.armed = true), ARMS_AFTER);
  }
}

/** Everything in a prompt that the user has to read. */
function content(prompt: Prompt | undefined): string {
  return JSON.stringify({ ...prompt, waiting: 0 });
}

function message(cause: unknown): string {
  const said = (cause as { error?: { message?: unknown } } | undefined)?.error?.message;
  return typeof said === 'string' && said !== '' ? said : messages.consent.failed;
}
