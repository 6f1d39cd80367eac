import { mount } from 'svelte';
import Consent from './Consent.svelte';
import { tauriDoor, type ConsentDoor } from './door';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/layout.css';

/** `npm run dev` has no shell around it: there, `consent.html?demo=NAME` puts a made-up question behind the door. */
async function door(): Promise<ConsentDoor> {
  if (!import.meta.env.DEV) return tauriDoor;
  const demo = new URLSearchParams(location.search).get('demo');
  if (demo === null) return tauriDoor;
  const { demoQuestions } = await import('../lib/door/memory/questions');
  return demoQuestions(demo);
}

const target = document.getElementById('app');
if (target) mount(Consent, { target, props: { door: await door() } });
