/**
 * The transport of the app: one command for every request, one channel for every change. Only this file imports Tauri.
 *
 * A channel and no event: the right to listen to events would let this page hear deep links.
 */
import { Channel, invoke } from '@tauri-apps/api/core';
import type { App, Change } from '../types';
import type { SetupPlan, SetupTool } from '../types-setup';
import type { Response, Transport } from './transport';
import { writeText } from './clipboard';

export const tauriTransport: Transport = {
  request: (method, path, body) => invoke<Response>('request', { method, path, body: body ?? null }),
  changes: async (listener) => {
    const channel = new Channel<Change>(listener);
    await invoke('subscribe', { channel });
    return () => {
      channel.onmessage = () => undefined;
    };
  },
  copyToken: (connection) => invoke('copy_token', { connection }),
  copyCredential: (credential, field) => invoke('copy_credential', { credential, field }),
  createApp: (body) => invoke<App>('create_app', { body }),
  copyLink: (flow) => invoke('copy_link', { flow }),
  openRegistration: (preset, variables) => invoke('open_registration', { preset, variables }),
  closeWindow: (answer) => invoke('close_window', { answer }),
  choosePath: async (purpose) => (await invoke<string | null>('choose_path', { purpose })) ?? undefined,
  exportLog: (wanted) => invoke<string | null>('export_log', { ...wanted }),
  setupTools: () => invoke<SetupTool[]>('setup_list'),
  planSetup: (request) => invoke<SetupPlan>('setup_plan', { request }),
  writeSetup: (request, shown) => invoke('setup_write', { request, shown }),
  copyText: writeText,
};
