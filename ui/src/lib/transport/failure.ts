import type { ErrorBody, ErrorCode } from '../types';

/** An error envelope of the API as an exception. */
export class Failure extends Error {
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly fields: Readonly<Record<string, string>>;

  constructor(body: ErrorBody) {
    super(body.message);
    this.name = 'Failure';
    this.code = body.code;
    this.requestId = body.request_id;
    this.fields = body.details?.fields ?? {};
  }

  /** Whatever was thrown or answered, as a failure: an envelope as itself, all else as `internal`. */
  static from(cause: unknown): Failure {
    if (cause instanceof Failure) return cause;
    const body = envelope(cause);
    if (body) return new Failure(body);
    const message = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : '';
    return new Failure({ code: 'internal', message, request_id: '' });
  }
}

function envelope(value: unknown): ErrorBody | undefined {
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
  const { error } = value;
  const fits =
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    'message' in error &&
    typeof error.message === 'string';
  return fits ? (error as ErrorBody) : undefined;
}
