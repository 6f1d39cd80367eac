/** The provider form without the screen: what is typed, and the requests that it becomes. */
import { messages } from '../messages';
import type { CreateProvider, PresetChoice, Provider, ProviderSettings, UpdateProvider } from '../types';
import type { Problems } from './problems';
import { INITIAL, SETTINGS, SETTING_NAMES, type Descriptor, type Name, type SettingsDraft } from './settings';

export interface ProviderDraft {
  name: string;
  project: string;
  client_secret: string;
  /** What happens to a stored secret. */
  secret: 'keep' | 'replace' | 'clear';
  settings: SettingsDraft;
}

/** A form that begins with the settings of a preset. */
export interface FormStart {
  draft: ProviderDraft;
  base: ProviderSettings;
  preset: PresetChoice;
}

/** Any settings; `null` is the default. */
type Patch = { [K in Name]?: ProviderSettings[K] | null };

/** The form of a new provider. */
export function newDraft(): ProviderDraft {
  return { name: '', project: '', client_secret: '', secret: 'replace', settings: format(INITIAL) };
}

/** The form of a new provider with what a preset says and what was typed already. */
export function draftOfPreset(
  base: ProviderSettings,
  typed: { name: string; client_id: string; client_secret: string },
  preset: PresetChoice,
): FormStart {
  const settings = format(base);
  if (typed.client_id.trim() !== '') settings.client_id = typed.client_id.trim();
  const { name, client_secret } = typed;
  return { draft: { name, project: '', client_secret, secret: 'replace', settings }, base, preset };
}

/** The form of a saved provider. */
export function draftOf(provider: Provider): ProviderDraft {
  const { name, project, has_client_secret } = provider;
  const secret = has_client_secret ? 'keep' : 'replace';
  return { name, project, client_secret: '', secret, settings: format(provider) };
}

/** What differs from the defaults, or from the preset that the form began with. */
export function toCreate(draft: ProviderDraft, start?: FormStart): CreateProvider {
  const { name, project, client_secret, settings } = draft;
  const typed = parse(settings);
  const { client_id } = typed;
  const body: CreateProvider = { ...difference(start?.base ?? INITIAL, typed), name: name.trim(), client_id };
  if (start) body.preset = start.preset;
  if (start && start.base.loopback_ports.length > 0) body.loopback_ports = typed.loopback_ports;
  if (project.trim() !== '') body.project = project.trim();
  if (client_secret !== '') body.client_secret = client_secret;
  return body;
}

/** A merge patch of what differs from the provider (RFC 7396). */
export function toUpdate(draft: ProviderDraft, before: Provider): UpdateProvider {
  const body: UpdateProvider = difference(before, parse(draft.settings));
  if (draft.name.trim() !== before.name) body.name = draft.name.trim();
  if (draft.secret === 'clear') body.client_secret = null;
  if (draft.secret === 'replace' && draft.client_secret !== '') body.client_secret = draft.client_secret;
  return body;
}

/** What is missing or cannot be read. Whether a value is right is for the engine to judge. */
export function missing(draft: ProviderDraft, secretStored: boolean): Problems {
  const texts = messages.providerForm;
  const found: Problems = {};
  if (draft.name.trim() === '') found['name'] = messages.common.needName;
  for (const name of SETTING_NAMES) {
    const { control, required, isReadable } = SETTINGS[name];
    const empty = control.kind === 'text' && control.get(draft.settings).trim() === '';
    if (empty && required?.(draft.settings)) found[name] = texts.required[name] ?? messages.common.required;
    else if (isReadable && !isReadable(draft.settings))
      found[name] = texts.unreadable[name] ?? messages.common.required;
  }
  const secret = draft.client_secret !== '' || (secretStored && draft.secret !== 'clear');
  if (draft.settings.grant_type === 'client_credentials' && !secret) found['client_secret'] = texts.secretRequired;
  return found;
}

function format(settings: ProviderSettings): SettingsDraft {
  const draft = {} as SettingsDraft;
  const set = <K extends Name>(name: K) => {
    const { format }: Descriptor<K> = SETTINGS[name];
    draft[name] = format(settings[name]);
  };
  SETTING_NAMES.forEach(set);
  return draft;
}

function parse(draft: SettingsDraft): ProviderSettings {
  const settings = {} as ProviderSettings;
  const set = <K extends Name>(name: K) => {
    const { parse }: Descriptor<K> = SETTINGS[name];
    settings[name] = parse(draft[name]);
  };
  SETTING_NAMES.forEach(set);
  return settings;
}

/** The settings that differ. An empty text is the default. */
function difference(before: ProviderSettings, after: ProviderSettings): Patch {
  const patch: Patch = {};
  const set = <K extends Name>(name: K) => {
    const value = after[name];
    const current = before[name] ?? null;
    if (JSON.stringify(value) !== JSON.stringify(current)) patch[name] = value === '' ? null : merge(current, value);
  };
  SETTING_NAMES.forEach(set);
  return patch;
}

/** The patch that makes one value of the other: a member that is gone is `null` in it (RFC 7396). */
function merge<T>(before: unknown, after: T): T {
  if (!isObject(before) || !isObject(after)) return after;
  const gone = Object.keys(before).filter((name) => after[name] === undefined);
  const kept = Object.entries(after).map(([name, value]) => [name, merge(before[name], value)]);
  return { ...Object.fromEntries(kept), ...Object.fromEntries(gone.map((name) => [name, null])) } as T;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
