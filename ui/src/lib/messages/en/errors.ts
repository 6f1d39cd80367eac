/** What an error code means, and what to do. */
import type { ErrorCode } from '../../types';

export interface ErrorText {
  title: string;
  next: string;
}

export const errors: Record<ErrorCode, ErrorText> = {
  validation_error: { title: 'Check your input', next: 'Correct the marked values and try again.' },
  unauthorized: { title: 'Not signed in to Tokenry', next: 'Close this window and open it again.' },
  permission_denied: { title: 'Not allowed', next: 'The window can’t do this.' },
  consent_denied: { title: 'Sign-in denied', next: 'Nothing was connected. Connect again to retry.' },
  interaction_required: { title: 'Permission needed', next: 'Answer the permission request, then try again.' },
  not_found: { title: 'Not found', next: 'It was removed in the meantime.' },
  conflict: { title: 'Conflict with existing data', next: 'Check the current values and try again.' },
  needs_reauth: { title: 'Sign-in required', next: 'Press “Sign in again” at the connection.' },
  flow_expired: { title: 'Sign-in expired', next: 'Press Connect to start a new sign-in.' },
  payload_too_large: { title: 'Too large', next: 'Shorten the input and try again.' },
  vault_locked: { title: 'Vault locked', next: 'Unlock the vault and try again.' },
  rate_limited: { title: 'Too many requests', next: 'Wait a moment and try again.' },
  internal: { title: 'Internal error', next: 'Try again. If it happens again, report it with its error ID.' },
  provider_error: { title: 'Rejected by the provider', next: 'Check the provider’s settings.' },
  provider_unreachable: {
    title: 'Provider unreachable',
    next: 'Check your network connection. Tokenry retries automatically.',
  },
  oauth_unavailable: { title: 'Not available here', next: 'The message says what is missing on this computer.' },
};
