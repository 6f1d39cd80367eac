/** Adding a provider by its address, without the screen: what is typed, and the requests that it becomes. */
import { messages } from '../messages';
import type { CreateProvider, Discovered, DiscoverRequest, Offered, RegisterRequest } from '../types';
import type { Problems } from './problems';

export interface AddressDraft {
  name: string;
  client: 'register' | 'own';
  client_id: string;
  client_secret: string;
}

/** Whether a text can be an address, and not only the name of a preset. */
export const isAddress = (text: string) => /[.:/]|^localhost$/.test(text.trim());

/** Whether it is one for sure. */
export const isSurelyAddress = (text: string) => /^\s*https?:\/\//i.test(text);

/** Whether the address is http and not on this machine, which needs a permission of its own. */
export const asksForPrivateHttp = (text: string) =>
  /^\s*http:\/\/(?!(localhost|127\.[\d.]+|\[::1\])(:\d+)?([/?#]|\s*$))/i.test(text);

export function addressDraft(found: Discovered, taken: (name: string) => boolean): AddressDraft {
  let name = found.name;
  for (let next = 2; taken(name); next += 1) name = `${found.name}-${next}`;
  return { name, client: found.registration ? 'register' : 'own', client_id: '', client_secret: '' };
}

/** The settings that a result shows, with their values as text. */
export function shownSettings(found: Discovered): [label: string, text: string][] {
  return Object.entries(messages.byAddress.settings).flatMap(([name, label]): [string, string][] => {
    const value = found.settings[name];
    const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : '';
    return text === '' ? [] : [[label, text]];
  });
}

export function shownOffers(found: Discovered): [label: string, offered: boolean][] {
  const names = Object.keys(messages.byAddress.offer) as (keyof Offered)[];
  return names.map((name) => [messages.byAddress.offer[name], found.offered[name]]);
}

/** The host where a client is registered by hand. */
export function hostOf(found: Discovered): string {
  const address = found.settings['authorization_endpoint'] ?? found.settings['token_endpoint'];
  return typeof address === 'string' ? new URL(address).host : found.address;
}

/** The redirect URI of a provider with this name: the last part of it is the name. */
export function redirectUri(found: Discovered, name: string): string | undefined {
  const uri = found.redirect_uris[0];
  return uri?.endsWith(found.name) ? uri.slice(0, -found.name.length) + name.trim() : uri;
}

export function addressProblems(draft: AddressDraft): Problems {
  const wrong: Problems = {};
  if (draft.name.trim() === '') wrong['name'] = messages.common.needName;
  if (draft.client === 'own' && draft.client_id.trim() === '') wrong['client_id'] = messages.add.needClientId;
  return wrong;
}

export function registerRequest(look_up: DiscoverRequest, found: Discovered, draft: AddressDraft): RegisterRequest {
  return { look_up, name: draft.name.trim(), settings: found.settings };
}

export function createByAddress(found: Discovered, draft: AddressDraft): CreateProvider {
  const { token_endpoint_auth_method, ...settings } = found.settings;
  const body: CreateProvider = { ...settings, name: draft.name.trim(), client_id: draft.client_id.trim() };
  if (draft.client_secret === '') return body;
  // How a client with a secret authenticates.
  if (token_endpoint_auth_method !== undefined) Object.assign(body, { token_endpoint_auth_method });
  body.client_secret = draft.client_secret;
  return body;
}
