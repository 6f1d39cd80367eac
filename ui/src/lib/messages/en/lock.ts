/** The lock screen and the first start. */
export const lock = {
  lockedTitle: 'Tokenry is locked',
  lockedText: 'Your connections are encrypted. Unlock the vault to use them.',
  damagedTitle: 'The vault is damaged',
  damagedText: 'Nothing was changed. Restore a backup, then try again.',
  firstTitle: 'Choose a passphrase',
  firstText:
    'It encrypts everything Tokenry stores on this computer. It can’t be recovered; keep a copy somewhere safe.',
  passphrase: 'Passphrase',
  repeat: 'Confirm passphrase',
  unlock: 'Unlock',
  withKeyring: 'Unlock with the keyring',
  keyringAgain: 'Try the keyring again',
  keyringTitle: 'The keyring is locked',
  keyringText: 'Tokenry’s key is in the keyring of your desktop. Unlock the keyring; Tokenry then continues by itself.',
  withoutKeyring: 'Use a passphrase instead',
  create: 'Create vault',
  different: 'The passphrases don’t match.',
  passphraseLength: 'Use 8 to 1024 characters.',
  unreachableTitle: 'Tokenry does not respond',
  startingTitle: 'Starting Tokenry',
};
