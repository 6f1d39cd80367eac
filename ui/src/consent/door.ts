/** The consent window's own way out: it sees the first question and answers it. Nothing else would be let through. */
import { Channel, invoke } from '@tauri-apps/api/core';

export interface ConsentDoor {
  /** A refusal is an answer or a rejection, both with the error envelope. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Calls `listener` whenever the questions are others than before. Returns how to stop it. */
  changes(listener: () => void): Promise<() => void>;
}

export const tauriDoor: ConsentDoor = {
  request: (method, path, body) => invoke('consent_request', { method, path, body: body ?? null }),
  changes: async (listener) => {
    const channel = new Channel<unknown>(() => listener());
    await invoke('consent_subscribe', { channel });
    return () => {
      channel.onmessage = () => undefined;
    };
  },
};
