/** Adding a provider by a preset, without the screen: what is typed, and whether it has the right form. */
import { messages } from '../messages';
import type { CreateProvider, Preset, PresetPreview, PresetVariable, ProviderSettings } from '../types';
import type { Problems } from './problems';

export interface PresetDraft {
  name: string;
  client_id: string;
  client_secret: string;
  variables: Record<string, string>;
}

/** What the engine calls a variable in its errors. */
export const variableField = (name: string) => `preset.variables.${name}`;

export function presetDraft(preset: Preset, taken: (name: string) => boolean): PresetDraft {
  let name = preset.name;
  for (let next = 2; taken(name); next += 1) name = `${preset.name}-${next}`;
  const variables = preset.variables?.map((one) => [one.name, one.default ?? ''] as const) ?? [];
  return { name, client_id: '', client_secret: '', variables: Object.fromEntries(variables) };
}

/** What is wrong with the value of a variable, while it is typed. */
export function variableProblem(variable: PresetVariable, text: string): string | undefined {
  const value = text.trim();
  if (value === '') return messages.add.needVariable(variable.example);
  const bare = value.replace(/^https?:\/\//, '').replace(/\/$/, '');
  return [value, bare].some((one) => fits(variable.pattern, one))
    ? undefined
    : messages.add.otherForm(variable.example);
}

function fits(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(value);
}

export const asksClientId = (preset: Preset) => typeof preset.settings['client_id'] !== 'string';
export const registersItself = (preset: Preset) => typeof preset.settings['registration_endpoint'] === 'string';
/** The address that tells how Tokenry registers itself: the resource, else the server that registers. */
export function registrationAddress(settings: Pick<ProviderSettings, 'resource' | 'registration_endpoint'>) {
  if (settings.resource) return settings.resource;
  return settings.registration_endpoint ? new URL(settings.registration_endpoint).origin : undefined;
}

export const hasRedirect = (preset: Preset) => preset.settings['grant_type'] !== 'client_credentials';

/** What is missing or has another form. */
export function presetProblems(preset: Preset, draft: PresetDraft): Problems {
  const found: Problems = {};
  if (draft.name.trim() === '') found['name'] = messages.common.needName;
  for (const variable of preset.variables ?? []) {
    const problem = variableProblem(variable, draft.variables[variable.name] ?? '');
    if (problem !== undefined) found[variableField(variable.name)] = problem;
  }
  if (asksClientId(preset) && draft.client_id.trim() === '') found['client_id'] = messages.add.needClientId;
  if (preset.client_type === 'confidential' && draft.client_secret === '') {
    found['client_secret'] = messages.add.needSecret;
  }
  return found;
}

export function presetVariables(draft: PresetDraft): Record<string, string> {
  const given = Object.entries(draft.variables).map(([name, value]) => [name, value.trim()] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

export function createOfPreset(preset: Preset, draft: PresetDraft, preview: PresetPreview | undefined): CreateProvider {
  const body: CreateProvider = {
    name: draft.name.trim(),
    preset: { name: preset.name, variables: presetVariables(draft) },
  };
  if (draft.client_id.trim() !== '') body.client_id = draft.client_id.trim();
  if (draft.client_secret !== '') body.client_secret = draft.client_secret;
  // The port that was shown is the one that is kept.
  const ports = preview?.settings.loopback_ports ?? [];
  if (ports.length > 0) body.loopback_ports = ports;
  return body;
}

/** What to say where the facts of a preset are doubtful. */
export function doubt(preset: Preset): string | undefined {
  if (preset.confidence !== 'high') return messages.add.unverified(preset.facts_from);
  const names = preset.unverified ?? [];
  if (names.length === 0) return undefined;
  return messages.add.unverifiedParts(preset.facts_from, names.map((name) => name.replaceAll('_', ' ')).join(', '));
}
