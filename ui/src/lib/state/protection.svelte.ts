import type { Client } from '../transport/client';
import type { Audit, AuditQuery, CheckReport, LogCheck, RevokeAnswer, RevokeRequest, VaultCheck } from '../types';

/** Cutting off, the audit and the checks. Nothing of them is kept: each answer belongs to who asked for it. */
export class Protection {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** @throws Failure */
  cutOff(what: RevokeRequest): Promise<RevokeAnswer> {
    return this.#client.call('post', '/v1/revoke', { body: what });
  }

  /** @throws Failure */
  audit(query: AuditQuery): Promise<Audit> {
    return this.#client.call('get', '/v1/audit', { query });
  }

  /** @throws Failure */
  verifyLog(): Promise<LogCheck> {
    return this.#client.call('get', '/v1/events/verify');
  }

  /** @throws Failure */
  checkVault(): Promise<VaultCheck> {
    return this.#client.call('post', '/v1/vault/check', { body: {} });
  }

  /** @throws Failure */
  checkInstallation(): Promise<CheckReport> {
    return this.#client.call('get', '/v1/doctor');
  }
}
