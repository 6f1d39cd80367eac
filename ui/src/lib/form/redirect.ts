import type { Redirect } from '../types';
import { isName } from './problems';

/** What to register at a provider of this name, as `redirect_uris` of the contract has it; nothing while it has no name. */
export function redirectUri(name: string, redirect: Redirect): string | undefined {
  if (!isName(name)) return undefined;
  return redirect === 'deep_link' ? `io.github.tokenry:/cb/${name}` : `http://127.0.0.1/cb/${name}`;
}
