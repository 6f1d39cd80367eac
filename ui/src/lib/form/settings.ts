/**
 * How each setting of a provider is shown and typed: one table, from which the form is drawn. A setting without an entry
 * does not compile. Labels and hints are in the messages.
 */
import { messages } from '../messages';
import type { ExchangeStep, ProviderSettings, Rotation } from '../types';
import { isObject, isPairs, pairs, words } from './lines';

export type Name = keyof ProviderSettings;

/** A setting while it is edited: lists and maps are text, and `null` is an empty text. */
type DraftOf<V> = [V] extends [boolean]
  ? boolean
  : [V] extends [Rotation]
    ? { kind: Rotation['kind']; seconds: string }
    : [V] extends [string | null | undefined]
      ? NonNullable<V>
      : string;

export type SettingsDraft = { [K in Name]: DraftOf<ProviderSettings[K]> };

/** The settings whose draft is exactly a `D`. */
type NamesOf<D> = { [K in Name]: [D, SettingsDraft[K]] extends [SettingsDraft[K], D] ? K : never }[Name];

type Get<D> = (draft: SettingsDraft) => D;
type Set<D> = (draft: SettingsDraft, value: D) => void;

export type Control =
  | { kind: 'text'; get: Get<string>; set: Set<string>; type?: 'url'; mono: boolean; rows?: number }
  | { kind: 'check'; get: Get<boolean>; set: Set<boolean> }
  | { kind: 'select'; get: Get<string>; set: Set<string>; options: (draft: SettingsDraft) => [string, string][] }
  | { kind: 'choice'; get: Get<string>; set: Set<string>; options: [string, string, string][] }
  | { kind: 'rotation' };

/** The groups behind "Advanced", in the order of the form. */
export const ADVANCED = [
  'addresses',
  'client',
  'requests',
  'responses',
  'refreshing',
  'redirects',
  'security',
] as const;

export type Group = 'registration' | 'endpoints' | 'redirect' | (typeof ADVANCED)[number];

export interface Descriptor<K extends Name> {
  group: Group;
  control: Control;
  /** The value of a new provider. A test compares it with the default in the API's description. */
  initial: ProviderSettings[K];
  format: (value: ProviderSettings[K]) => SettingsDraft[K];
  parse: (draft: SettingsDraft[K]) => ProviderSettings[K];
  /** It takes the whole width of the form. */
  isWide?: boolean;
  /** Whether the grant type has this setting. */
  shown?: (draft: SettingsDraft) => boolean;
  /** Whether it must not be empty. */
  required?: (draft: SettingsDraft) => boolean;
  /** Whether the draft has the right form; anything else is for the engine to judge. */
  isReadable?: (draft: SettingsDraft) => boolean;
}

const texts = messages.providerForm;
const inBrowser = ({ grant_type }: SettingsDraft) => grant_type === 'authorization_code';

function lens(name: NamesOf<string>): { get: Get<string>; set: Set<string> } {
  return { get: (draft) => draft[name], set: (draft, value) => (draft[name] = value) };
}

const identity = <T>(value: T) => value;
const text = { initial: '', format: identity<string>, parse: (draft: string) => draft.trim() };
const optionalText = {
  initial: null,
  format: (value: string | null | undefined) => value ?? '',
  parse: (draft: string) => draft.trim() || null,
};
const list = { initial: [], format: (value: readonly string[]) => value.join(' '), parse: words };
const check = { format: identity<boolean>, parse: identity<boolean>, isWide: true };

function isNumber(text: string): boolean {
  return /^\d{1,9}$/.test(text.trim());
}

function word(name: NamesOf<string>, group: Group) {
  const control: Control = { kind: 'text', mono: true, ...lens(name) };
  return { group, control, ...optionalText };
}

function listOf(name: NamesOf<string>, group: Group) {
  const control: Control = { kind: 'text', mono: true, ...lens(name) };
  return { group, control, isWide: true, ...list };
}

/** Whole seconds, or nothing. */
function seconds(name: NamesOf<string>, group: Group) {
  const control: Control = { kind: 'text', mono: true, ...lens(name) };
  return {
    group,
    control,
    initial: null,
    format: (value: number | null | undefined) => (typeof value === 'number' ? String(value) : ''),
    parse: (draft: string) => (draft.trim() === '' ? null : Number(draft)),
    isReadable: (draft: SettingsDraft) => draft[name].trim() === '' || isNumber(draft[name]),
  };
}

/** A map of texts: `name=value` on each line. */
function map(name: NamesOf<string>, group: Group) {
  const control: Control = { kind: 'text', mono: true, rows: 3, ...lens(name) };
  return {
    group,
    control,
    isWide: true,
    initial: {},
    format: (value: Record<string, string>) =>
      Object.entries(value)
        .map(([key, text]) => `${key}=${text}`)
        .join('\n'),
    parse: pairs,
    isReadable: (draft: SettingsDraft) => isPairs(draft[name]),
  };
}

function flag(name: NamesOf<boolean>, group: Group, initial = false) {
  return { group, control: checkOf(name), initial, ...check };
}

function choice<K extends Name, V extends SettingsDraft[K] & ProviderSettings[K] & string>(
  name: K,
  group: Group,
  initial: V,
  labels: Record<V, string>,
) {
  return { group, control: select<K, V>(name, labels), initial, format: identity, parse: identity };
}

function url(name: NamesOf<string>, group: Group) {
  const control: Control = { kind: 'text', type: 'url', mono: true, ...lens(name) };
  return { group, control, isWide: true, ...optionalText };
}

function checkOf(name: NamesOf<boolean>): Control {
  return { kind: 'check', get: (draft) => draft[name], set: (draft, value) => (draft[name] = value) };
}

function oneOf<K extends Name, V extends SettingsDraft[K] & string>(name: K, values: readonly V[]) {
  const get: Get<string> = (draft) => String(draft[name]);
  const set: Set<string> = (draft, value) => {
    const found = values.find((known) => known === value);
    if (found !== undefined) draft[name] = found;
  };
  return { get, set };
}

function keysOf<V extends string>(table: Record<V, unknown>): V[] {
  return Object.keys(table) as V[];
}

function select<K extends Name, V extends SettingsDraft[K] & string>(name: K, labels: Record<V, string>): Control {
  const values = keysOf(labels);
  return { kind: 'select', ...oneOf<K, V>(name, values), options: () => values.map((value) => [value, labels[value]]) };
}

const grantTypes = keysOf(texts.grantType);

/** In the order of the form. */
export const SETTINGS: { [K in Name]: Descriptor<K> } = {
  display_name: { group: 'registration', control: { kind: 'text', mono: false, ...lens('display_name') }, ...text },
  grant_type: {
    group: 'registration',
    isWide: true,
    initial: 'authorization_code',
    format: identity,
    parse: identity,
    control: {
      kind: 'choice',
      ...oneOf('grant_type', grantTypes),
      options: grantTypes.map((grant) => [grant, texts.grantType[grant], texts.grantTypeHint[grant]]),
    },
  },
  client_id: {
    group: 'registration',
    control: { kind: 'text', mono: true, ...lens('client_id') },
    ...text,
    required: () => true,
  },
  authorization_endpoint: {
    ...url('authorization_endpoint', 'endpoints'),
    shown: inBrowser,
    // Else a user can only sign in on another device.
    required: (draft) => inBrowser(draft) && draft.device_authorization_endpoint.trim() === '',
  },
  token_endpoint: { ...url('token_endpoint', 'endpoints'), required: () => true },
  default_scopes: {
    group: 'endpoints',
    control: { kind: 'text', mono: true, ...lens('default_scopes') },
    isWide: true,
    ...list,
  },
  redirect: {
    group: 'redirect',
    initial: 'loopback',
    format: identity,
    parse: identity,
    control: select('redirect', texts.redirect),
    shown: inBrowser,
  },
  issuer: url('issuer', 'addresses'),
  issuer_aliases: listOf('issuer_aliases', 'addresses'),
  userinfo_endpoint: url('userinfo_endpoint', 'addresses'),
  revocation_endpoint: url('revocation_endpoint', 'addresses'),
  refresh_endpoint: url('refresh_endpoint', 'addresses'),
  device_authorization_endpoint: { ...url('device_authorization_endpoint', 'addresses'), shown: inBrowser },
  pushed_authorization_request_endpoint: {
    ...url('pushed_authorization_request_endpoint', 'addresses'),
    shown: inBrowser,
  },
  introspection_endpoint: url('introspection_endpoint', 'addresses'),
  registration_endpoint: url('registration_endpoint', 'addresses'),
  jwks_uri: url('jwks_uri', 'addresses'),
  docs_url: url('docs_url', 'addresses'),
  register_url: url('register_url', 'addresses'),
  token_endpoint_auth_method: {
    group: 'client',
    initial: 'automatic',
    format: identity,
    parse: identity,
    control: select('token_endpoint_auth_method', texts.authMethod),
  },
  scope_separator: {
    group: 'client',
    initial: ' ',
    format: identity,
    parse: identity,
    control: {
      kind: 'select',
      ...lens('scope_separator'),
      options: ({ scope_separator: own }) => {
        const known = Object.entries(texts.separators);
        return own in texts.separators ? known : [...known, [own, texts.otherSeparator(own)]];
      },
    },
  },
  raw_scope: flag('raw_scope', 'client'),
  offline_scope: { ...word('offline_scope', 'client'), shown: inBrowser },
  prompt_consent_for_offline_access: {
    ...flag('prompt_consent_for_offline_access', 'client', true),
    shown: inBrowser,
  },
  resource: url('resource', 'client'),
  resource_on_refresh: flag('resource_on_refresh', 'client', true),
  use_pkce: { ...flag('use_pkce', 'requests', true), shown: inBrowser },
  always_send_nonce: { ...flag('always_send_nonce', 'requests'), shown: inBrowser },
  authorize_params: { ...map('authorize_params', 'requests'), shown: inBrowser },
  authorize_fragment: { ...word('authorize_fragment', 'requests'), shown: inBrowser },
  token_params: map('token_params', 'requests'),
  refresh_method: choice('refresh_method', 'requests', 'post', texts.httpMethod),
  refresh_params: map('refresh_params', 'requests'),
  token_headers: map('token_headers', 'requests'),
  token_body_format: choice('token_body_format', 'requests', 'form', texts.bodyFormat),
  param_names: map('param_names', 'requests'),
  exchange_step: {
    group: 'requests',
    control: { kind: 'text', mono: true, rows: 3, ...lens('exchange_step') },
    isWide: true,
    initial: null,
    format: (value) => (value ? JSON.stringify(value) : ''),
    parse: (draft) => (draft.trim() === '' ? null : (JSON.parse(draft) as ExchangeStep)),
    isReadable: ({ exchange_step }) => exchange_step.trim() === '' || isObject(exchange_step),
  },
  code_param: { ...word('code_param', 'responses'), shown: inBrowser },
  token_response_paths: map('token_response_paths', 'responses'),
  default_expires_in: seconds('default_expires_in', 'responses'),
  expiry_from_jwt: flag('expiry_from_jwt', 'responses'),
  captures: map('captures', 'responses'),
  captured_hosts: listOf('captured_hosts', 'responses'),
  account_source: choice('account_source', 'responses', 'automatic', texts.accountSource),
  account_paths: map('account_paths', 'responses'),
  userinfo_method: choice('userinfo_method', 'responses', 'get', texts.httpMethod),
  rotation: {
    group: 'refreshing',
    control: { kind: 'rotation' },
    initial: { kind: 'unknown' },
    format: (value) => ({ kind: value.kind, seconds: value.kind === 'grace' ? String(value.seconds) : '30' }),
    parse: ({ kind, seconds }) => (kind === 'grace' ? { kind, seconds: Number(seconds) } : { kind }),
    isReadable: ({ rotation }) => rotation.kind !== 'grace' || isNumber(rotation.seconds),
  },
  refresh_token_expires_in: seconds('refresh_token_expires_in', 'refreshing'),
  refresh_token_renews: flag('refresh_token_renews', 'refreshing'),
  refresh_leeway: seconds('refresh_leeway', 'refreshing'),
  narrowing: {
    group: 'refreshing',
    initial: 'unknown',
    format: identity,
    parse: identity,
    control: select('narrowing', texts.narrowing),
  },
  revocation_method: choice('revocation_method', 'refreshing', 'rfc7009', texts.revocationMethod),
  revocation_params: map('revocation_params', 'refreshing'),
  loopback_host: { ...choice('loopback_host', 'redirects', '127.0.0.1', texts.loopbackHost), shown: inBrowser },
  loopback_ports: {
    group: 'redirects',
    control: { kind: 'text', mono: true, ...lens('loopback_ports') },
    initial: [],
    format: (value) => value.join(' '),
    parse: (draft) => words(draft).map(Number),
    isReadable: ({ loopback_ports }) => words(loopback_ports).every(isNumber),
    shown: inBrowser,
  },
  loopback_any_port: { ...flag('loopback_any_port', 'redirects'), shown: inBrowser },
  redirect_path: { ...word('redirect_path', 'redirects'), shown: inBrowser },
  deep_link_form: { ...choice('deep_link_form', 'redirects', 'single_slash', texts.deepLinkForm), shown: inBrowser },
  redirect_uri: { ...url('redirect_uri', 'redirects'), shown: inBrowser },
  dpop: flag('dpop', 'security'),
  require_pushed_authorization_requests: {
    ...flag('require_pushed_authorization_requests', 'security'),
    shown: inBrowser,
  },
  authorization_response_iss_parameter_supported: {
    ...flag('authorization_response_iss_parameter_supported', 'security'),
    shown: inBrowser,
  },
  id_token_signing_algs: listOf('id_token_signing_algs', 'security'),
  ca_file: word('ca_file', 'security'),
  allow_private_http: flag('allow_private_http', 'security'),
};

export const SETTING_NAMES = keysOf(SETTINGS);

/** The settings of a new provider. */
export const INITIAL = Object.fromEntries(
  SETTING_NAMES.map((name) => [name, SETTINGS[name].initial]),
) as ProviderSettings;
