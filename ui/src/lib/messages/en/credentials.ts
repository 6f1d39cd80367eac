/** API keys, passwords and other static secrets. */
import type { CredentialType } from '../../types';

/** When a credential is deleted automatically. */
export type ExpiryChoice = 'never' | 'day' | 'week' | 'month' | 'quarter' | 'year';

const type: Record<CredentialType, string> = {
  raw: 'API key',
  basic_auth: 'Username and password',
  default: 'Custom fields',
  oauth2_refresh: 'Connection',
};

const typeHint: Record<CredentialType, string> = {
  raw: 'A single secret value.',
  basic_auth: 'For HTTP Basic authentication.',
  default: 'You choose the field names.',
  oauth2_refresh: '',
};

const expiries: Record<ExpiryChoice, string> = {
  never: 'Never',
  day: 'In 24 hours',
  week: 'In 7 days',
  month: 'In 30 days',
  quarter: 'In 90 days',
  year: 'In 365 days',
};

const fieldNames: Record<string, string> = { value: 'Value', username: 'Username', password: 'Password' };

export const credentials = {
  title: 'Credentials',
  text: 'API keys, passwords and other secrets. Encrypted like your connections.',
  add: 'Add credential',
  type,
  typeHint,
  fields: 'Fields',
  writeOnly: 'write-only',
  expires: 'Expires',
  used: 'Last used',
  copy: (field: string) => `Copy ${field}`,
  copyOf: (field: string, name: string) => `Copy ${field}: ${name}`,
  copied: (field: string) => `Copied ${field}. The clipboard is cleared in 45 seconds.`,
  edit: 'Edit',
  editOf: (name: string) => `Edit ${name}`,
  remove: 'Delete',
  removeOf: (name: string) => `Delete ${name}`,

  form: {
    addTitle: 'Add credential',
    editTitle: (name: string) => `Edit ${name}`,
    name: 'Name',
    nameHint: 'For programs, for example weather-key.',
    type: 'Type',
    fieldNames,
    stored: 'Leave empty to keep the stored value. It can’t be displayed.',
    encrypted: 'Encrypted on this computer. It can’t be displayed later.',
    fieldName: 'Field',
    fieldValue: 'Value',
    thisField: 'field',
    writeOnly: 'Write-only',
    writeOnlyOf: (field: string) => `Write-only: ${field}`,
    addField: 'Add field',
    removeField: (field: string) => `Remove field ${field}`,
    expires: 'Delete automatically',
    expiries,
    expiryKept: (moment: string) => `Keep: ${moment}`,
    added: (name: string) => `Added ${name}.`,
    saved: (name: string) => `Saved ${name}.`,
    needValue: 'Required',
    needField: 'Add at least one field.',
    needFieldName: 'Enter a field name.',
    twice: 'Already used',
    colon: 'A username can’t contain “:”.',
  },

  removeDialog: {
    title: (name: string) => `Delete ${name}?`,
    text: 'Its values are deleted from this computer. Programs can no longer read them.',
    go: 'Delete credential',
    done: (name: string) => `Deleted ${name}.`,
  },
};
