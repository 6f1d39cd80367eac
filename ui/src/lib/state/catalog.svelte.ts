import type { Client } from '../transport/client';
import type {
  Discovered,
  DiscoverRequest,
  Preset,
  PresetPreview,
  PresetSummary,
  PresetUpdate,
  PreviewPreset,
} from '../types';

/** What is known of providers before they are added: presets, and what an address tells. Nothing of it is kept. */
export class Catalog {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The best matches first. @throws Failure */
  search(q: string): Promise<PresetSummary[]> {
    return this.#client.call('get', '/v1/catalog', { query: { q } });
  }

  /** @throws Failure */
  preset(name: string): Promise<Preset> {
    return this.#client.call('get', '/v1/catalog/{name}', { path: { name } });
  }

  /** The provider that a preset would make. @throws Failure */
  preview(name: string, body: PreviewPreset): Promise<PresetPreview> {
    return this.#client.call('post', '/v1/catalog/{name}/preview', { path: { name }, body });
  }

  /** What an address tells of a provider. @throws Failure */
  lookUp(body: DiscoverRequest): Promise<Discovered> {
    return this.#client.call('post', '/v1/discovery', { body });
  }

  /** What a newer preset changes. @throws Failure */
  update(provider: string): Promise<PresetUpdate> {
    return this.#client.call('get', '/v1/oauth-providers/{id}/preset', { path: { id: provider } });
  }
}
