/** How the consent window reaches the engine. It reads the first prompt and answers it; the shell rejects anything else. */
import { Channel, invoke } from '@tauri-apps/api/core';

export interface ConsentTransport {
  /** A refusal is an answer or a rejection, both with the error envelope. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Calls `listener` whenever the questions are others than before. Returns how to stop it. */
  changes(listener: () => void): Promise<() => void>;
}

export const tauriTransport: ConsentTransport = {
  request: (method, path, body) => invoke('consent_request', { method, path, body: body ?? null }),
  changes: async (listener) => {
    const channel = new Channel<unknown>(() => listener());
    await invoke('consent_subscribe', { channel });
    return () => {
      channel.onmessage = () => undefined;
    };
  },
};
