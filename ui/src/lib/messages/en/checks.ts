/** The checks of a provider and of the installation. */
import { count } from './common';

export const checks = {
  button: 'Check',
  provider: (name: string) => `Check ${name}`,
  providerText: 'Asks each endpoint once, with codes and tokens that are made up. No sign-in starts.',
  saved: 'Checks the saved settings.',
  installation: 'Check this installation',
  installationText:
    'Looks at the OS keyring, the vault, deep links, the daily backup and the clock. Asks up to three of your providers for the time. The command line checks more:',
  command: 'tokenry doctor',
  again: 'Check again',
  running: 'Checking…',
  close: 'Close',
  fine: 'No problems found.',
  warnings: (n: number) => `${count(n, 'warning', 'warnings')}, no problems.`,
  problems: (n: number) => `${count(n, 'problem', 'problems')} found.`,
  result: {
    ok: 'OK',
    warning: 'Warning',
    problem: 'Problem',
    not_checked: 'Not checked',
  },
};
