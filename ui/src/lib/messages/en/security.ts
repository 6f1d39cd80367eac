/** How the vault is unlocked, and its recovery code. */
import type { SlotKind } from '../../types';

const kinds: Record<SlotKind, string> = {
  keyring: 'OS keyring',
  keyring_and_passphrase: 'OS keyring and passphrase',
  passphrase: 'Passphrase',
  recovery_code: 'Recovery code',
};

const explained: Record<SlotKind, string> = {
  keyring: 'Tokenry unlocks by itself when you log in to your desktop.',
  keyring_and_passphrase: 'Needs both: a thief of this computer needs the passphrase, too.',
  passphrase: 'Works without a keyring, for example over SSH.',
  recovery_code: 'Unlocks the vault when the keyring or the passphrase is lost.',
};

export const security = {
  title: 'Unlocking',
  text: 'Each of these unlocks the vault on its own.',
  kinds,
  explained,
  on: 'On',
  off: 'Off',
  add: 'Add',
  again: 'Set up again',
  change: 'Change passphrase',
  remove: 'Remove',
  newCode: 'Create',
  replaceCode: 'Replace',
  nameOf: (action: string, kind: SlotKind) => `${action}: ${kinds[kind]}`,
  aloneStill: 'The OS keyring still unlocks the vault alone. Remove it below to require the passphrase.',
  setTitle: (kind: SlotKind) => kinds[kind],
  newPassphrase: 'New passphrase',
  repeat: 'Confirm new passphrase',
  current: 'Current passphrase',
  forgot: 'Use the recovery code instead',
  remembered: 'Use the passphrase instead',
  save: 'Save',
  saved: (kind: SlotKind) => `${kinds[kind]}: the vault unlocks with it from now on.`,
  removeTitle: (kind: SlotKind) => `Remove: ${kinds[kind]}`,
  removeText: (kind: SlotKind) =>
    kind === 'recovery_code'
      ? 'The recovery code stops working. If the keyring or the passphrase is lost then, the vault is lost.'
      : `The vault can no longer be unlocked this way (${kinds[kind]}).`,
  removed: (kind: SlotKind) => `${kinds[kind]}: removed.`,
  codeTitle: 'Recovery code',
  codeIntro:
    'The code unlocks the vault on its own. Keep it on paper or in another safe place, not on this computer. A new code replaces the one before.',
  codeShow: 'Show the code',
  codeWrite: 'Write the code down. It is shown only once.',
  codeNext: 'I wrote it down',
  codeBack: 'Show the code again',
  codeCheck: (first: number, second: number) => `Type groups ${first} and ${second} of what you wrote down.`,
  codeGroup: (number: number) => `Group ${number}`,
  codeWrong: 'This group is different. Compare it with what you wrote down.',
  codeConfirm: 'Confirm',
  codeDone: 'The recovery code is set.',
  reminderTitle: 'Create a recovery code',
  reminder: 'Without one, a lost keyring or a forgotten passphrase loses every connection in this vault.',
  reminderLater: 'Not now',
  usedTitle: 'The recovery code unlocked the vault',
  used: 'If the keyring or the passphrase is lost, set a new way to unlock now.',
  usedGo: 'Open Settings',
};
