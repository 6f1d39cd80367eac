/** The error of an operation, which becomes an envelope and a status. */
import type { Response } from '../../src/lib/transport/transport';
import type { ErrorBody, ErrorCode } from '../../src/lib/types';

const STATUS: Record<ErrorCode, number> = {
  validation_error: 422,
  unauthorized: 401,
  permission_denied: 403,
  consent_denied: 403,
  interaction_required: 403,
  not_found: 404,
  conflict: 409,
  needs_reauth: 409,
  flow_expired: 410,
  payload_too_large: 413,
  vault_locked: 423,
  rate_limited: 429,
  internal: 500,
  provider_error: 502,
  provider_unreachable: 503,
  oauth_unavailable: 503,
};

export class ApiError extends Error {
  readonly error: ErrorBody;

  constructor(code: ErrorCode, message: string, details?: ErrorBody['details']) {
    super(message);
    this.error = { code, message, request_id: '0192-test', ...(details ? { details } : {}) };
  }

  get response(): Response {
    return { status: STATUS[this.error.code], body: { error: this.error } };
  }
}
