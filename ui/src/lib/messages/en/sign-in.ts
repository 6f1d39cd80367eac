/** The panel of an open sign-in, and how sign-ins end. */
export const signIn = {
  title: (provider: string) => `Sign in to ${provider}`,
  again: (name: string) => `Signing in again: ${name}`,
  labelled: (label: string) => `New connection: ${label}`,
  first: 'New connection',
  open: 'A sign-in is in progress.',
  show: 'Show sign-in',
  waiting: 'Complete the sign-in in your browser. This page updates automatically.',
  waitingPaste:
    'Complete the sign-in in your browser. It then shows an error page, which is expected. Copy the URL from the address bar and paste it here.',
  rejected: (why: string) =>
    `Tokenry rejected a redirect: ${why.replace(/\.$/, '')}. Complete the sign-in in the browser, or cancel and try again.`,
  noResponse: 'No response yet. If the browser shows an error about the redirect URI: does the provider know this one?',
  register: (url: string) => `Register exactly this redirect URI at ${url}, and try again.`,
  registerPlain: 'Register exactly this redirect URI in your client registration, and try again.',
  openBrowser: 'Open browser again',
  copyLink: 'Copy link',
  linkCopied: 'Link copied. Open it in a browser on this computer.',
  cancel: 'Cancel',
  expires: 'Expires',
  pasteInstead: 'Paste the redirect URL instead',
  redirectUrl: 'Redirect URL',
  pasteGo: 'Continue',
  pasteNeeded: 'Paste the whole URL from the browser’s address bar.',
  ended: (provider: string, title: string) => `${provider}: ${title}`,
  failed: 'Sign-in failed',
  /** With `conflict` a renewal ends at another account than the connection's, or where the provider does not tell it. */
  otherAccount: 'Different or unknown account',
  nameInUse: 'Name already in use',
  timedOut: 'The sign-in expired: no response within 10 minutes.',
  connected: (account: string) => `Connected as ${account}.`,
  connectedPlain: (name: string) => `Connected ${name}.`,
};
