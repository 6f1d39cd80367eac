/** The panel of an open sign-in, and how sign-ins end. */
export const signIn = {
  title: (provider: string) => `Sign in to ${provider}`,
  again: (name: string) => `Signing in again: ${name}`,
  labelled: (label: string) => `New connection: ${label}`,
  first: 'New connection',
  open: 'A sign-in is open in the browser.',
  show: 'Show sign-in',
  waiting: 'Finish signing in in your browser. This page updates by itself.',
  waitingPaste:
    'Finish signing in in your browser. When it shows an error page, copy the whole address of that page and paste it here.',
  rejected: (why: string) => `A redirect was rejected: ${why.replace(/\.$/, '')}. Still waiting.`,
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
  /** A sign-in ends with `conflict` when it does not fit the connection that it renews. */
  otherAccount: 'Different account',
  timedOut: 'No response from the browser for 10 minutes.',
  connected: (account: string) => `Connected as ${account}.`,
  connectedPlain: (name: string) => `Connected ${name}.`,
};
