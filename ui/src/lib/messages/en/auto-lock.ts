/** Auto-lock: its settings, and requests that wait for the vault. */
export const autoLock = {
  title: 'Auto-lock',
  text: 'Tokenry locks the vault itself when you leave. While the vault is locked, no program gets a token: a mail program, for example, stops fetching until you unlock the vault.',
  idle: 'Lock when idle',
  idleTimes: {
    0: 'Never',
    5: 'After 5 minutes',
    15: 'After 15 minutes',
    30: 'After 30 minutes',
    60: 'After 1 hour',
    240: 'After 4 hours',
  } as Readonly<Record<string, string>>,
  minutes: (n: number) => `After ${n} minutes`,
  ownUse:
    'Your desktop does not report when you are idle. Tokenry counts as idle when neither you nor a program uses it.',
  switches: {
    screen_lock: 'Lock when the screen is locked',
    suspend: 'Lock when the computer suspends',
    user_switch: 'Lock when another user’s session becomes active',
  },
  by: (services: string) => `Reported by ${services}.`,
  unavailable: {
    screen_lock: 'Not available: no screen saver and no session of logind was found on this computer.',
    suspend: 'Not available: logind was not found on this computer.',
    user_switch: 'Not available: no session of logind was found on this computer.',
  },
  tokens: 'Give tokens to selected apps while locked',
  tokensHint: 'Only to apps with a grant marked “Also while locked”. Nothing is refreshed while locked.',
  tokensWarning:
    'At lock, Tokenry keeps the valid access tokens of those apps in memory until they expire. Malware that can read the memory of Tokenry can read them.',
  commandLine: 'In a terminal: tokenry settings',
};

/** On the lock screen: why the window came up. */
export const unlockRequest = {
  one: (program: string) => `A program waits until you unlock the vault: ${program}`,
  many: (programs: string) => `Programs wait until you unlock the vault: ${programs}`,
  aProgram: 'unknown',
  dismiss: 'Not now',
};
