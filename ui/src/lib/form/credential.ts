/** The credential form without the screen: what is in its fields, and how that becomes a request. */
import type { CreateCredential, Credential, CredentialType, UpdateCredential } from '../types';
import { messages } from '../messages';
import type { Problems } from './problems';

const texts = messages.credentials.form;

/** The types that are entered by hand. */
export type Entered = Exclude<CredentialType, 'oauth2_refresh'>;

export interface FormField {
  name: string;
  /** What was typed. On a field that is kept, empty leaves it as it is. */
  value: string;
  /** It is there already, and its value is not shown. */
  kept: boolean;
  redact: boolean;
}

export interface CredentialFields {
  name: string;
  type: Entered;
  fields: FormField[];
  /** One of `texts.untils`, or `kept`. */
  until: string;
}

/** Milliseconds from now. */
const DAY = 86_400_000;
const UNTIL: Record<string, number> = { day: DAY, week: 7 * DAY, month: 30 * DAY, quarter: 90 * DAY, year: 365 * DAY };

/** The fields of a type, in the order of the form. Those of `default` are named by the user. */
const HAS: Record<Entered, string[]> = { raw: ['value'], basic_auth: ['username', 'password'], default: [''] };

export const fresh = (name: string): FormField => ({ name, value: '', kept: false, redact: false });

export function fieldsOf(type: Entered): FormField[] {
  return HAS[type].map(fresh);
}

export function blankCredential(): CredentialFields {
  return { name: '', type: 'raw', fields: fieldsOf('raw'), until: 'never' };
}

export function ofCredential(credential: Credential): CredentialFields {
  const type = credential.type as Entered;
  const order = (field: string) => (HAS[type].includes(field) ? HAS[type].indexOf(field) : HAS[type].length);
  const names = [...credential.fields].sort((a, b) => order(a) - order(b));
  const redacted = new Set(credential.redact_fields);
  const fields = names.map((name) => ({ ...fresh(name), kept: true, redact: redacted.has(name) }));
  return { name: credential.name, type, fields, until: credential.expires_at ? 'kept' : 'never' };
}

/** From field to what is wrong with it, as the engine names them: `data.FIELD` is about a value. */
export function credentialProblems(form: CredentialFields): Problems {
  const found: Problems = {};
  if (form.name.trim() === '') found['name'] = messages.common.needName;
  if (form.fields.length === 0) found['data'] = texts.needField;
  const names = new Set<string>();
  form.fields.forEach((field, at) => {
    const name = field.name.trim();
    if (name === '') found[`name-${at}`] = texts.needFieldName;
    else if (names.has(name)) found[`name-${at}`] = texts.twice;
    else if (!field.kept && field.value === '' && form.type !== 'default') found[`data.${name}`] = texts.needValue;
    names.add(name);
  });
  const username = form.fields.find(({ name }) => form.type === 'basic_auth' && name === 'username');
  if (username?.value.includes(':')) found['data.username'] = texts.colon;
  return found;
}

export function toCreateCredential(form: CredentialFields, now: number): CreateCredential {
  const data = Object.fromEntries(form.fields.map(({ name, value }) => [name.trim(), base64(value)]));
  const body: CreateCredential = { name: form.name.trim(), type: form.type, data };
  const redacted = redactedOf(form);
  const end = endOf(form.until, now);
  if (redacted.length > 0) body.redact_fields = redacted;
  if (end) body.expires_at = end;
  return body;
}

/** Only what differs from the credential as it is. */
export function toUpdateCredential(form: CredentialFields, before: Credential, now: number): UpdateCredential {
  const body: UpdateCredential = {};
  if (form.name.trim() !== before.name) body.name = form.name.trim();
  const left = new Set(form.fields.map(({ name }) => name.trim()));
  const typed = form.fields.filter(({ kept, value }) => !kept || value !== '');
  const data: Record<string, string | null> = {};
  for (const gone of before.fields) if (!left.has(gone)) data[gone] = null;
  for (const { name, value } of typed) data[name.trim()] = base64(value);
  if (Object.keys(data).length > 0) body.data = data;
  const redacted = redactedOf(form).filter((field) => !before.redact_fields.includes(field));
  if (redacted.length > 0) body.redact_fields = redacted;
  if (form.until === 'never' && before.expires_at) body.expires_at = null;
  const end = endOf(form.until, now);
  if (end) body.expires_at = end;
  return body;
}

/** UTF-8 in base64, standard alphabet, padded (RFC 4648, 4). */
export function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

function redactedOf(form: CredentialFields): string[] {
  return form.fields.filter(({ redact }) => redact).map(({ name }) => name.trim());
}

function endOf(until: string, now: number): string | undefined {
  const after = UNTIL[until];
  return after === undefined ? undefined : new Date(now + after).toISOString();
}
