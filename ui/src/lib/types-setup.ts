/** What the shell says about tools. These are no types of the API: only the window has these commands. */

export type SetupFieldName = 'address' | 'connection' | 'name' | 'role' | 'audience';

export interface SetupField {
  name: SetupFieldName;
  example: string;
  optional: boolean;
}

export interface SetupEntry {
  target: string;
  paths: string[];
  problem: string | null;
  /** What a connection must serve. */
  address: { url: string; kind: string } | null;
}

/** An entry, and the ids of the connections that the user can choose between for its address. */
export interface CheckedEntry extends SetupEntry {
  candidates: string[];
}

export interface CheckedTool extends SetupTool {
  entries: CheckedEntry[];
}

export interface SetupTool {
  tool: string;
  title: string;
  installed: boolean;
  fields: SetupField[];
  entries: SetupEntry[];
}

export interface SetupRequest {
  tool: string;
  /** The target whose setup is undone. */
  undo: string | null;
  options: Partial<Record<SetupFieldName, string>>;
}

export interface SetupChange {
  path: string;
  /** Lines that begin with a blank, `-` or `+`. */
  diff: string;
}

export interface SetupPlan {
  tool: string;
  changes: SetupChange[];
  notes: string[];
  /** Lines that the user adds to files of their own. */
  lines: { title: string; text: string }[];
}
