/** The one way out of the UI. What is behind it (the shell, or a fake in tests) is nobody's business up here. */
import type { App, Change, CreateApp } from '../types';

export interface Answer {
  /** The HTTP status. */
  status: number;
  /** The JSON that was answered. */
  body: unknown;
}

/** End the engine, keep it without a window, or leave the window open. */
export type ClosingAnswer = 'end' | 'keep' | 'stay';

export interface Door {
  /** One operation of the contract. A refusal is an answer, too; it rejects only when nothing answered. */
  request(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Calls `listener` for every change from now on. Returns how to stop it. */
  changes(listener: (change: Change) => void): Promise<() => void>;
  /** Puts the connection's access token on the clipboard. The token itself never comes here. */
  copyToken(connection: string): Promise<void>;
  /** Puts the value of a credential's field on the clipboard. The value itself never comes here. */
  copyCredential(credential: string, field: string): Promise<void>;
  /** Registers an app, and puts its token on the clipboard, which is told this once. @throws the error envelope */
  createApp(body: CreateApp): Promise<App>;
  /** Puts the address that the browser should open for this flow on the clipboard. */
  copyLink(flow: string): Promise<void>;
  /** What is to become of the engine when the window closes, where no tray shows an icon to open it again. */
  closeWindow(answer: ClosingAnswer): Promise<void>;
  /** Puts a text that is no secret on the clipboard. */
  copyText(text: string): Promise<void>;
}
