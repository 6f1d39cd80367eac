/** How the UI reaches the engine: through the shell, or in tests through an engine in memory. */
import type { App, Change, CreateApp } from '../types';
import type { SetupChange, SetupPlan, SetupRequest, SetupTool } from '../types-setup';

export interface Response {
  /** The HTTP status. */
  status: number;
  /** The JSON of the response. */
  body: unknown;
}

/** End the engine, keep it without a window, or leave the window open. */
export type ClosingAnswer = 'end' | 'keep' | 'stay';

/** What a path is chosen for. */
export type PathPurpose = 'save_backup' | 'open_backup' | 'identity' | 'folder';
/** What is exported, as which kind of file, and which part of it: the query of its request. */
export interface ExportedLog {
  what: 'audit' | 'events';
  format: 'csv' | 'json_lines';
  query: Record<string, string>;
}

export interface Transport {
  /** Calls one operation of the contract. An error is a response, too; it rejects only when nothing answered. */
  request(method: string, path: string, body?: unknown): Promise<Response>;
  /** Calls `listener` for every change from now on. Returns how to stop it. */
  changes(listener: (change: Change) => void): Promise<() => void>;
  /** Puts the connection's access token on the clipboard. The token itself never comes here. */
  copyToken(connection: string): Promise<void>;
  /** Puts the value of a credential's field on the clipboard. The value itself never comes here. */
  copyCredential(credential: string, field: string): Promise<void>;
  /** Registers an app, and puts its token on the clipboard. The token is never shown again. @throws the error envelope */
  createApp(body: CreateApp): Promise<App>;
  /** Puts the address that the browser should open for this flow on the clipboard. */
  copyLink(flow: string): Promise<void>;
  /** Opens the page of a preset where a client is registered, in the browser. @throws the error envelope */
  openRegistration(preset: string, variables: Record<string, string>): Promise<void>;
  /** What is to become of the engine when the window closes, where no tray shows an icon to open it again. */
  closeWindow(answer: ClosingAnswer): Promise<void>;
  /** Asks for a path with the dialog of the system. `undefined` when the user closes it. @throws the error envelope */
  choosePath(purpose: PathPurpose): Promise<string | undefined>;
  /** Saves the whole audit or the whole activity log into a file of the user's choice. Nothing when the user chose none. */
  exportLog(what: ExportedLog): Promise<string | null>;
  /** The tools on this machine, and what is set up. @throws the error envelope */
  setupTools(): Promise<SetupTool[]>;
  /** The change that the user is asked about. Nothing is written. @throws the error envelope */
  planSetup(request: SetupRequest): Promise<SetupPlan>;
  /** Writes the change, if it is still the one that was shown. @throws the error envelope */
  writeSetup(request: SetupRequest, shown: SetupChange[]): Promise<void>;
  /** Puts a text that is no secret on the clipboard. */
  copyText(text: string): Promise<void>;
}
