/** The redirect URI of a provider that is not saved yet. */
import type { Redirect } from '../types';

/** As `redirect_uris` of the API has it; undefined while the name is none. */
export function redirectUri(name: string, redirect: Redirect): string | undefined {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) return undefined;
  return redirect === 'deep_link' ? `io.github.tokenry:/cb/${name}` : `http://127.0.0.1/cb/${name}`;
}
