/** The check of the vault. */
import { count } from './common';

export const vaultCheck = {
  title: 'Check the vault',
  text: 'Opens every record and compares the manifest, the activity log and the files. Nothing is changed.',
  go: 'Check now',
  whole: 'Everything is as it should be.',
  wrong: (n: number) => `${count(n, 'problem', 'problems')} found`,
  wrongText:
    'Restore a backup of the profile folder. Or copy what still opens into a new profile, on the command line:',
  command: 'tokenry vault salvage NEW_FOLDER',
  parts: 'Checked',
  ok: 'OK',
  bad: 'Wrong',
  row: (row: number) => `row ${row}`,
  more: (n: number) => `and ${n} more`,
};
