/** What an error code means, and what to do. */
import type { ErrorCode } from '../../types';

export interface ErrorText {
  title: string;
  next: string;
}

export const errors: Record<ErrorCode, ErrorText> = {
  validation_error: { title: 'Check your input', next: 'Correct the marked values and try again.' },
  unauthorized: { title: 'Window not authorized', next: 'Restart Tokenry.' },
  permission_denied: { title: 'Not allowed', next: 'Use the command line instead.' },
  consent_denied: { title: 'Denied', next: 'Nothing was changed. Try again to be asked again.' },
  interaction_required: { title: 'Permission needed', next: 'Answer the permission request, then try again.' },
  not_found: { title: 'Not found', next: 'It no longer exists. Another program may have removed it; see Activity.' },
  conflict: { title: 'Conflict with existing data', next: 'Check the current values and try again.' },
  needs_reauth: { title: 'Sign-in required', next: 'Press “Sign in again” next to the connection.' },
  flow_expired: { title: 'Sign-in expired', next: 'Press Connect to start a new sign-in.' },
  payload_too_large: { title: 'Too large', next: 'Shorten the input and try again.' },
  vault_locked: { title: 'Vault locked', next: 'Unlock the vault and try again.' },
  rate_limited: { title: 'Too many requests', next: 'Wait a moment and try again.' },
  internal: { title: 'Internal error', next: 'Try again. If it happens again, report it with its error ID.' },
  provider_error: {
    title: 'Rejected by the provider',
    next: 'Compare the endpoints, client ID and scopes with your registration at the provider.',
  },
  provider_unreachable: {
    title: 'Provider unreachable',
    next: 'Check your network connection and try again.',
  },
  oauth_unavailable: {
    title: 'Sign-in not available here',
    next: 'Unlock the OS keyring, or paste the redirect URL.',
  },
};
