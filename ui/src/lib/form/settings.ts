/**
 * How each setting of a provider is shown and typed: one table, from which the form is drawn. A setting without an entry
 * does not compile. Labels and hints are in the messages.
 */
import { messages } from '../messages';
import type { ProviderSettings, Rotation } from '../types';
import { isPairs, pairs, words } from './lines';

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

export type Group = 'registration' | 'endpoints' | 'redirect' | 'advanced';

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
  authorization_endpoint: { ...url('authorization_endpoint', 'endpoints'), shown: inBrowser, required: inBrowser },
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
  issuer: url('issuer', 'advanced'),
  issuer_aliases: {
    group: 'advanced',
    control: { kind: 'text', mono: true, ...lens('issuer_aliases') },
    isWide: true,
    ...list,
  },
  userinfo_endpoint: url('userinfo_endpoint', 'advanced'),
  revocation_endpoint: url('revocation_endpoint', 'advanced'),
  refresh_endpoint: url('refresh_endpoint', 'advanced'),
  token_endpoint_auth_method: {
    group: 'advanced',
    initial: 'client_secret_post',
    format: identity,
    parse: identity,
    control: select('token_endpoint_auth_method', texts.authMethod),
  },
  scope_separator: {
    group: 'advanced',
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
  rotation: {
    group: 'advanced',
    control: { kind: 'rotation' },
    initial: { kind: 'unknown' },
    format: (value) => ({ kind: value.kind, seconds: value.kind === 'grace' ? String(value.seconds) : '30' }),
    parse: ({ kind, seconds }) => (kind === 'grace' ? { kind, seconds: Number(seconds) } : { kind }),
    isReadable: ({ rotation }) => rotation.kind !== 'grace' || /^\d{1,9}$/.test(rotation.seconds.trim()),
  },
  narrowing: {
    group: 'advanced',
    initial: 'unknown',
    format: identity,
    parse: identity,
    control: select('narrowing', texts.narrowing),
  },
  authorize_params: {
    group: 'advanced',
    control: { kind: 'text', mono: true, rows: 3, ...lens('authorize_params') },
    isWide: true,
    initial: {},
    format: (value) =>
      Object.entries(value)
        .map(([name, text]) => `${name}=${text}`)
        .join('\n'),
    parse: pairs,
    shown: inBrowser,
    isReadable: ({ authorize_params }) => isPairs(authorize_params),
  },
  use_pkce: { group: 'advanced', control: checkOf('use_pkce'), initial: true, ...check, shown: inBrowser },
  authorization_response_iss_parameter_supported: {
    group: 'advanced',
    control: checkOf('authorization_response_iss_parameter_supported'),
    initial: false,
    ...check,
    shown: inBrowser,
  },
};

export const SETTING_NAMES = keysOf(SETTINGS);

/** The settings of a new provider. */
export const INITIAL = Object.fromEntries(
  SETTING_NAMES.map((name) => [name, SETTINGS[name].initial]),
) as ProviderSettings;
