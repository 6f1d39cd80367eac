/** Connections: their state, their facts and their dialogs. */
import type { ConnectionStatus, ReauthReason, Revoked } from '../../types';
import { count } from './common';

export const status: Record<ConnectionStatus, string> = {
  pending: 'Waiting for sign-in',
  active: 'Active',
  refreshing: 'Refreshing',
  expiring: 'Sign in again soon',
  needs_reauth: 'Sign-in required',
  paused: 'Paused',
  disconnecting: 'Disconnecting',
};

export const reason: Record<ReauthReason, string> = {
  revoked: 'Access was revoked at the provider.',
  expired: 'The access token expired and there is no refresh token.',
  lost_response: 'The provider’s response was lost, and the new refresh token with it.',
  scope_missing: 'The provider no longer grants a required scope. Sign in again and allow it.',
  refused: 'The provider rejected the refresh token.',
  other_account:
    'The provider returned tokens for a different account. Tokenry did not use them. Sign in again with the same account.',
  restored: 'It was restored from a backup that does not hold its refresh token.',
  cut_off: 'You cut it off. Its tokens are deleted from this computer.',
  client_rejected: 'The provider rejected the client ID or the client secret. Correct them; Tokenry then tries again.',
};

export const revoked: Record<Revoked, string> = {
  yes: 'The provider revoked the tokens. They are deleted from this computer.',
  no: 'The tokens are deleted from this computer, but the provider did not revoke them. Remove Tokenry under connected apps in your account at the provider.',
  pending: 'Revocation pending. Tokenry keeps trying.',
  unsupported:
    'The tokens are deleted from this computer. This provider can’t revoke tokens: remove Tokenry under connected apps in your account there.',
};

export const connection = {
  as: (account: string) => `Connected as ${account}`,
  pending: 'New connection',
  serviceAccount: 'Service account',
  connected: 'Connected',
  label: 'Label',
  scopes: 'Scopes',
  noScopes: 'not reported',
  moreScopes: (n: number) => `${n} more`,
  fewerScopes: 'Show fewer',
  captured: (names: string) => `Kept from the sign-in, not shown: ${names}`,
  /** The provider granted other scopes than were requested. */
  granted: (requested: string, granted: string) => `Requested: ${requested}. Granted: ${granted}.`,
  none: 'none',
  signInBefore: (time: string) => `Sign in again before ${time}.`,
  expires: 'Expires',
  expiredLabel: 'Expired',
  expired: 'expired',
  unknown: 'unknown',
  refreshed: 'Refreshed',
  notYet: 'not yet',
  used: 'Last used',
  retrying: 'Retrying',
  retryingNow: 'now',
  attempts: (n: number) => `(${count(n, 'failed attempt', 'failed attempts')})`,
  refreshNow: 'Refresh now',
  refreshedNow: (name: string) => `Refreshed ${name}.`,
  copyToken: 'Copy token',
  tokenCopied: 'Token copied. The clipboard is cleared in 45 seconds.',
  pause: 'Pause',
  resume: 'Resume',
  pausedHint: 'Paused: no refresh, and no program gets a token.',
  disconnect: 'Disconnect',
  signInAgain: 'Sign in again',
  editProvider: 'Edit provider',
  editLabel: 'Edit label',
  disconnectingHint: 'Revocation pending. Tokenry keeps trying.',
};

export const connectDialog = {
  title: (provider: string) => `Connect another ${provider} account`,
  text: 'A label tells accounts at one provider apart.',
  hint: (name: string) => `Programs request it as ${name}/<label>.`,
  go: 'Connect',
};

export const labelDialog = {
  title: 'Edit label',
  hint: 'Leave empty to remove the label.',
  whose: 'Whose account is this?',
  whoseHint: (provider: string) => `${provider} doesn’t say which account this is. A label tells it apart.`,
};

export const disconnectDialog = {
  title: (name: string) => `Disconnect ${name}?`,
  text: 'Its tokens are deleted from this computer and revoked at the provider. Programs can no longer get tokens for it.',
  go: 'Disconnect',
  done: (name: string) => `Disconnected ${name}`,
  pending: (name: string) => `Disconnecting ${name}`,
};
