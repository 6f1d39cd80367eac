/** A few presets, which behave as those of the engine. */
import { INITIAL } from '../../../src/lib/form/settings';
import type { Discovered, DiscoverRequest, Preset, PresetPreview, PresetSummary } from '../../../src/lib/types';
import { ApiError } from '../api-error';
import { nextId } from '../engine';
import { aProvider } from '../samples';
import { on } from './on';

const FACTS = {
  version: '2026-11-29',
  facts_from: '2026-11',
  confidence: 'high',
  grant_types: ['authorization_code'],
  sources: ['documentation'],
} as const;

export const PRESETS: Preset[] = [
  {
    ...FACTS,
    grant_types: [...FACTS.grant_types],
    sources: [...FACTS.sources],
    name: 'github',
    display_name: 'GitHub',
    aliases: ['gh'],
    category: 'dev-tools',
    guide: 'Create an OAuth app in the developer settings. Paste the redirect URI shown here.',
    warnings: ['Tokens of an OAuth app do not end.'],
    redirect_field: 'Authorization callback URL',
    client_type: 'confidential',
    settings: {
      authorization_endpoint: 'https://github.example/authorize',
      token_endpoint: 'https://github.example/token',
      register_url: 'https://github.example/new',
      default_scopes: ['read:user'],
    },
  },
  {
    ...FACTS,
    grant_types: [...FACTS.grant_types],
    sources: [...FACTS.sources],
    name: 'files-mcp',
    display_name: 'Files MCP',
    category: 'mcp',
    guide: 'Nothing to register by hand: Tokenry registers itself.',
    client_type: 'either',
    settings: {
      authorization_endpoint: 'https://login.example.com/authorize',
      token_endpoint: 'https://login.example.com/token',
      registration_endpoint: 'https://login.example.com/register',
      resource: 'https://mcp.example.com/mcp',
    },
  },
  {
    ...FACTS,
    grant_types: [...FACTS.grant_types],
    sources: [...FACTS.sources],
    name: 'gitea',
    display_name: 'Gitea',
    category: 'dev-tools',
    guide: 'Create an OAuth2 application in your settings. Paste the redirect URI shown here.',
    redirect_field: 'Redirect URIs',
    client_type: 'either',
    confidence: 'medium',
    variables: [
      { name: 'host', label: 'Gitea host', example: 'git.example.com', pattern: '[A-Za-z0-9.-]+(:[0-9]{1,5})?' },
    ],
    settings: {
      authorization_endpoint: 'https://{host}/login/oauth/authorize',
      token_endpoint: 'https://{host}/login/oauth/access_token',
    },
  },
];

/** What the address of an MCP server tells; `https://closed.example` has no registration. */
const DISCOVERED: Discovered = {
  kind: 'protected_resource',
  address: 'https://mcp.example.com/mcp',
  name: 'example',
  settings: {
    issuer: 'https://login.example.com',
    authorization_endpoint: 'https://login.example.com/authorize',
    token_endpoint: 'https://login.example.com/token',
    token_endpoint_auth_method: 'client_secret_basic',
    registration_endpoint: 'https://login.example.com/register',
    resource: 'https://mcp.example.com/mcp',
    default_scopes: ['files'],
    loopback_ports: [28731],
  },
  authorization_servers: ['https://login.example.com'],
  offered: {
    pkce: true,
    iss_parameter: true,
    revocation: false,
    pushed_authorization_requests: false,
    dpop: false,
    device_flow: false,
    registration: true,
    client_id_metadata_documents: false,
  },
  redirect_uris: ['http://127.0.0.1:28731/cb/example'],
  registration: 'dynamic',
  warnings: ['On another domain than example.com: signin.example (sign-in).'],
};

function discovered({ address }: DiscoverRequest): Discovered {
  const { hostname } = new URL(address);
  if (hostname === 'nothing.example') throw new ApiError('provider_error', `${hostname} has no metadata`);
  if (hostname !== 'closed.example') return { ...DISCOVERED, address };
  const offered = { ...DISCOVERED.offered, registration: false };
  return { ...DISCOVERED, address, kind: 'issuer', offered, registration: null, warnings: [] };
}

export const catalog = [
  on('post', '/v1/discovery', (_, { body }) => discovered(body)),
  on('post', '/v1/registrations', (engine, { body }) => {
    const { name, settings } = body;
    const fresh = aProvider({ id: nextId(), name, client_id: 'made-by-the-provider' });
    return engine.putProvider({ ...fresh, ...settings, display_name: name });
  }),
  on('get', '/v1/catalog', (_, { query }) => search(query?.q ?? '')),
  on('get', '/v1/catalog/{name}', (_, { path }) => preset(path.name)),
  on('post', '/v1/catalog/{name}/preview', (_, { path, body }) =>
    preview(preset(path.name), body.name ?? path.name, body.variables ?? {}),
  ),
  on('get', '/v1/oauth-providers/{id}/preset', (engine, { path }) => {
    const { preset, token_endpoint, use_pkce } = engine.provider(path.id);
    return {
      name: preset?.name ?? '',
      from: preset?.version ?? '',
      to: preset?.newer ?? '',
      variables: [],
      changes: [
        { setting: 'use_pkce', from: use_pkce, to: !use_pkce, is_own: false, moves_host: false },
        {
          setting: 'token_endpoint',
          from: token_endpoint,
          to: 'https://moved.example/token',
          is_own: false,
          moves_host: true,
        },
      ],
    };
  }),
  on('post', '/v1/oauth-providers/{id}/preset', (engine, { path, body }) => {
    const provider = engine.provider(path.id);
    const rest = provider.preset && { ...provider.preset, version: body.version, newer: null };
    return engine.putProvider({ ...provider, preset: rest ?? null });
  }),
];

function search(q: string): PresetSummary[] {
  const wanted = q.trim().toLowerCase();
  return PRESETS.filter((one) => `${one.name} ${one.display_name} ${one.category}`.toLowerCase().includes(wanted)).map(
    ({ name, display_name, category, version }) => ({ name, display_name, category, version }),
  );
}

export function preset(name: string): Preset {
  const found = PRESETS.find((one) => one.name === name);
  if (!found) throw new ApiError('not_found', `there is no preset ${name}`);
  return found;
}

export function preview(one: Preset, name: string, variables: Record<string, string>): PresetPreview {
  const text = JSON.stringify(one.settings).replace(/\{(\w+)\}/g, (whole, key: string) => variables[key] ?? whole);
  const settings = { ...INITIAL, ...(JSON.parse(text) as object), display_name: one.display_name };
  return { name, redirect_uris: [`http://127.0.0.1/cb/${name}`], settings };
}
