import { mount } from 'svelte';
import App from './App.svelte';
import type { Door } from './lib/door/door';
import { tauriDoor } from './lib/door/tauri';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';

/** `npm run dev` has no shell around it: there, `?demo=NAME` puts a made-up engine behind the door. */
async function door(): Promise<Door> {
  if (!import.meta.env.DEV) return tauriDoor;
  const demo = new URLSearchParams(location.search).get('demo');
  if (demo === null) return tauriDoor;
  const { demoDoor } = await import('./lib/door/memory/demo');
  return demoDoor(demo);
}

const target = document.getElementById('app');
if (target) mount(App, { target, props: { door: await door() } });
