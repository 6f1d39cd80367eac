import { mount } from 'svelte';
import App from './App.svelte';
import type { Transport } from './lib/transport/transport';
import { tauriTransport } from './lib/transport/tauri';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';

/** `npm run dev` runs without the shell: there, `?demo=NAME` shows a scene of the in-memory engine. */
async function transport(): Promise<Transport> {
  if (!import.meta.env.DEV) return tauriTransport;
  const demo = new URLSearchParams(location.search).get('demo');
  if (demo === null) return tauriTransport;
  const { demoTransport } = await import('../dev/memory/demo');
  return demoTransport(demo);
}

const target = document.getElementById('app');
if (target) mount(App, { target, props: { transport: await transport() } });
