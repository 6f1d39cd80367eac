/** Cutting off: an app, a connection, or everything. */
import type { RevokedConnection } from '../../types';
import { count } from './common';

/** What the provider did. Never "revoked" without its word. */
const outcome: Record<NonNullable<RevokedConnection['revoked']> | 'nothing', string> = {
  yes: 'Revoked at the provider',
  no: 'Not revoked: the provider refused',
  pending: 'Not revoked yet. Tokenry keeps trying',
  unsupported: 'Not revoked: the provider does not support it',
  nothing: 'There were no tokens',
};

export const cutOff = {
  title: 'Cut off',
  text: 'Ends every grant and permission, deletes the tokens of every connection from this computer and asks the providers to revoke them. You sign in to each connection again.',
  all: 'Cut off everything',
  app: 'Cut off',
  connection: 'Cut off',
  of: (name: string) => `Cut off ${name}`,

  dialogTitle: (name: string | undefined) => (name ? `Cut off ${name}?` : 'Cut off everything?'),
  appText: 'The app loses its grants, permissions and tokens immediately. It stays registered.',
  connectionText:
    'Every app and program loses access to it. Its tokens are deleted from this computer, and the provider is asked to revoke them. You sign in again.',
  go: 'Cut off',
  busy: 'Providers are being asked. This takes up to a minute.',

  done: 'Cut off',
  ended: (grants: number, sessions: number) =>
    `Ended: ${count(grants, 'grant', 'grants')}, ${count(sessions, 'session permission', 'session permissions')}.`,
  outcome,
  why: (detail: string) => detail,
  stillValid: 'May still be valid',
  stillValidText:
    'Nothing here can revoke these. Tokens end by themselves. Change API keys and passwords at their services.',
  left: (n: number) =>
    `${count(n, 'connection was', 'connections were')} not revoked by the provider. Remove Tokenry under connected apps in your account there.`,
};
