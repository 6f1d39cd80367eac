import { mount } from 'svelte';
import Consent from './Consent.svelte';
import { tauriTransport, type ConsentTransport } from './transport';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/layout.css';

/** `npm run dev` runs without the shell: there, `consent.html?demo=NAME` shows prompts of the in-memory engine. */
async function transport(): Promise<ConsentTransport> {
  if (!import.meta.env.DEV) return tauriTransport;
  const demo = new URLSearchParams(location.search).get('demo');
  if (demo === null) return tauriTransport;
  const { demoPrompts } = await import('../../dev/memory/prompts');
  return demoPrompts(demo);
}

const target = document.getElementById('app');
if (target) mount(Consent, { target, props: { transport: await transport() } });
