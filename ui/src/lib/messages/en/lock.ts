/** The lock screen and the first start. */
export const lock = {
  lockedTitle: 'Tokenry is locked',
  lockedText: 'Your connections are encrypted. Unlock the vault to use them.',
  damagedTitle: 'The vault is damaged',
  useCode: 'Use the recovery code',
  usePassphrase: 'Use the passphrase',
  useKeyring: 'Use the keyring',
  code: 'Recovery code',
  codeHint: 'Seven groups of five characters. Upper and lower case, spaces and hyphens don’t matter.',
  damagedText:
    'Tokenry changed nothing. Restore the profile folder from a backup, then try again. In a terminal, `tokenry vault check` shows what is damaged, and `tokenry vault salvage NEW` copies what still opens into a new folder.',
  firstTitle: 'Choose a passphrase',
  firstText:
    'The passphrase encrypts everything Tokenry stores on this computer. Keep a copy of it somewhere safe. You can create a recovery code afterwards.',
  passphrase: 'Passphrase',
  repeat: 'Confirm passphrase',
  unlock: 'Unlock',
  withKeyring: 'Unlock with the keyring',
  keyringAgain: 'Try the keyring again',
  keyringTitle: 'The keyring is locked',
  keyringText: 'The vault key is in your desktop’s keyring. Unlock the keyring; Tokenry then continues automatically.',
  withoutKeyring: 'Use a passphrase instead',
  create: 'Create vault',
  different: 'The passphrases don’t match.',
  passphraseLength: 'Use 8 to 1024 characters.',
  unreachableTitle: 'Tokenry is not responding',
  startingTitle: 'Starting Tokenry',
};
