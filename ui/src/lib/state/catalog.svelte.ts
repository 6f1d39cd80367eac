import type { Client } from '../transport/client';
import type { Preset, PresetPreview, PresetSummary, PresetUpdate, PreviewPreset } from '../types';

/** The presets. Nothing of them is kept: the engine answers a search at once. */
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

  /** What a newer preset changes. @throws Failure */
  update(provider: string): Promise<PresetUpdate> {
    return this.#client.call('get', '/v1/oauth-providers/{id}/preset', { path: { id: provider } });
  }
}
