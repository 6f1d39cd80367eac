/** The texts of what is no connection: keys, passwords, and any other set of fields. */
import type { CredentialType } from '../types';

const type: Record<CredentialType, string> = {
  raw: 'A single value',
  basic_auth: 'User name and password',
  default: 'Any set of fields',
  oauth2_refresh: 'Connection',
};

const typeHint: Record<CredentialType, string> = {
  raw: 'An API key, for example.',
  basic_auth: 'As HTTP Basic sends them.',
  default: 'Named as you like.',
  oauth2_refresh: '',
};

export const credentials = {
  title: 'Credentials',
  text: 'What is no sign-in: API keys, passwords, and other values. Sealed like the connections.',
  add: 'Add credential',
  type,
  typeHint,
  fields: 'Fields',
  redacted: 'never handed out',
  ends: 'Deleted',
  used: 'Last used',
  notUsed: 'never',
  copy: (field: string) => `Copy ${field}`,
  copyOf: (field: string, name: string) => `Copy ${field}: ${name}`,
  copied: (field: string) => `${field} is on the clipboard. It is cleared from there in 45 seconds.`,
  edit: 'Edit',
  editOf: (name: string) => `Edit ${name}`,
  remove: 'Delete',
  removeOf: (name: string) => `Delete ${name}`,

  form: {
    addTitle: 'Add a credential',
    editTitle: (name: string) => `Edit ${name}`,
    name: 'Name',
    nameHint: 'For your programs, like weather-key.',
    type: 'What it is',
    names: { value: 'Value', username: 'User name', password: 'Password' } as Record<string, string>,
    kept: 'Leave it empty to keep what is there. It is never shown again.',
    sealed: 'Sealed on this machine, and never shown again.',
    fieldName: 'Field',
    fieldValue: 'Value',
    redact: 'Never hand it out',
    redactOf: (field: string) => `Never hand out ${field}`,
    addField: 'Add a field',
    removeField: (field: string) => `Remove the field ${field}`,
    until: 'Deleted by itself',
    untils: {
      never: 'Never',
      day: 'In 24 hours',
      week: 'In 7 days',
      month: 'In 30 days',
      quarter: 'In 90 days',
      year: 'In 365 days',
    } as Record<string, string>,
    untilKept: (moment: string) => `As it is: ${moment}`,
    added: (name: string) => `${name} was added.`,
    saved: (name: string) => `${name} was saved.`,
    needName: 'must be 1 to 64 lower-case letters, digits and single hyphens, starting with a letter, like weather-key',
    needValue: 'is needed',
    needField: 'Give at least one field.',
    needFieldName: 'must have a name',
    twice: 'is there twice',
    colon: 'must not hold a colon (RFC 7617, 2)',
  },

  removeDialog: {
    title: (name: string) => `Delete ${name}?`,
    text: 'Its values are deleted from this machine. Programs that use it are refused from then on.',
    go: 'Delete credential',
    done: (name: string) => `${name} was deleted.`,
  },
};
