/** The door of the app: one command for every request, one event for every change. The only file that knows Tauri. */
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Change } from '../types';
import type { Answer, Door } from './door';
import { writeText } from './clipboard';

export const tauriDoor: Door = {
  request: (method, path, body) => invoke<Answer>('request', { method, path, body: body ?? null }),
  changes: (listener) => listen<Change>('change', (event) => listener(event.payload)),
  copyToken: (connection) => invoke('copy_token', { connection }),
  copyLink: (flow) => invoke('copy_link', { flow }),
  copyText: writeText,
};
