import type { Client } from '../transport/client';
import { Failure } from '../transport/failure';
import type {
  BackupMade,
  CreateBackup,
  CreateRestore,
  DailyBackup,
  Job,
  RestorePreview,
  Restored,
  UpdateDailyBackup,
} from '../types';

/** How often a job is looked at, in milliseconds. */
const POLL_INTERVAL_MS = 150;

/** Backups: the work that is under way, what was read, and the daily backup. */
export class Backups {
  /** The work that is under way. */
  job = $state.raw<Job>();
  /** What was read, until it is restored or discarded. */
  preview = $state.raw<RestorePreview>();
  daily = $state.raw<DailyBackup>();

  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Writes a backup; `undefined` when that was cancelled. @throws Failure */
  async write(body: CreateBackup): Promise<BackupMade | undefined> {
    const ended = await this.#follow(await this.#client.call('post', '/v1/backups', { body }));
    return ended.backup ?? undefined;
  }

  /** Reads a backup. Returns whether that was not cancelled. @throws Failure */
  async read(body: CreateRestore): Promise<boolean> {
    const ended = await this.#follow(await this.#client.call('post', '/v1/restores', { body }));
    this.preview = ended.preview ?? undefined;
    return this.preview !== undefined;
  }

  /** Restores what was read; `undefined` when that was cancelled. @throws Failure */
  async apply(replace: string[]): Promise<Restored | undefined> {
    if (!this.preview) return undefined;
    const path = { id: this.preview.id };
    const ended = await this.#follow(
      await this.#client.call('post', '/v1/restores/{id}/apply', { path, body: { replace } }),
    );
    if (ended.restored) this.preview = undefined;
    return ended.restored ?? undefined;
  }

  /** @throws Failure */
  async cancel(): Promise<void> {
    if (this.job) await this.#client.call('delete', '/v1/jobs/{id}', { path: { id: this.job.id } });
  }

  /** @throws Failure */
  async loadDaily(): Promise<void> {
    this.daily = await this.#client.call('get', '/v1/backups/daily');
  }

  /** @throws Failure */
  async changeDaily(body: UpdateDailyBackup): Promise<void> {
    this.daily = await this.#client.call('put', '/v1/backups/daily', { body });
  }

  clear(): void {
    this.job = undefined;
    this.preview = undefined;
    this.daily = undefined;
  }

  /** Waits for the end of a job. @throws Failure when it failed */
  async #follow(begun: Job): Promise<Job> {
    let job = begun;
    this.job = job;
    try {
      while (job.state === 'running') {
        await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
        job = await this.#client.call('get', '/v1/jobs/{id}', { path: { id: job.id } });
        this.job = job;
      }
    } finally {
      this.job = undefined;
    }
    if (job.state === 'failed' && job.error) throw new Failure(job.error);
    return job;
  }
}
