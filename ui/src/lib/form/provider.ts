/** The provider form without the screen: what is in its fields, and how that becomes a request. */
import type {
  AuthMethod,
  CreateProvider,
  GrantType,
  NarrowingMethod,
  Provider,
  Redirect,
  Rotation,
  UpdateProvider,
} from '../types';

/** The optional addresses and texts that are kept as they are typed. */
export const TEXTS = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'refresh_endpoint',
  'revocation_endpoint',
  'userinfo_endpoint',
] as const;

export interface Fields extends Record<(typeof TEXTS)[number], string> {
  name: string;
  display_name: string;
  project: string;
  grant_type: GrantType;
  client_id: string;
  client_secret: string;
  /** What becomes of a secret that is kept. */
  secret: 'keep' | 'replace' | 'clear';
  /** Empty: as the secret suggests. */
  token_endpoint_auth_method: AuthMethod | '';
  /** Separated by white space. */
  default_scopes: string;
  scope_separator: string;
  use_pkce: boolean;
  /** One `name=value` in each line. */
  authorize_params: string;
  redirect: Redirect;
  authorization_response_iss_parameter_supported: boolean;
  rotation: Rotation['kind'];
  rotation_seconds: string;
  narrowing: NarrowingMethod;
}

/** The form of a provider that is not there yet. */
export function blank(): Fields {
  return {
    name: '',
    display_name: '',
    project: '',
    grant_type: 'authorization_code',
    client_id: '',
    client_secret: '',
    secret: 'replace',
    issuer: '',
    authorization_endpoint: '',
    token_endpoint: '',
    refresh_endpoint: '',
    revocation_endpoint: '',
    userinfo_endpoint: '',
    token_endpoint_auth_method: '',
    default_scopes: '',
    scope_separator: ' ',
    use_pkce: true,
    authorize_params: '',
    redirect: 'loopback',
    authorization_response_iss_parameter_supported: false,
    rotation: 'unknown',
    rotation_seconds: '30',
    narrowing: 'unknown',
  };
}

/** The form of a provider that is there. */
export function of(provider: Provider): Fields {
  const texts = Object.fromEntries(TEXTS.map((field) => [field, provider[field] ?? '']));
  return {
    ...blank(),
    ...texts,
    name: provider.name,
    display_name: provider.display_name,
    project: provider.project,
    grant_type: provider.grant_type,
    client_id: provider.client_id,
    secret: provider.has_client_secret ? 'keep' : 'replace',
    token_endpoint_auth_method: provider.token_endpoint_auth_method,
    default_scopes: provider.default_scopes.join(' '),
    scope_separator: provider.scope_separator,
    use_pkce: provider.use_pkce,
    authorize_params: Object.entries(provider.authorize_params)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n'),
    redirect: provider.redirect,
    authorization_response_iss_parameter_supported: provider.authorization_response_iss_parameter_supported,
    rotation: provider.rotation.kind,
    rotation_seconds: provider.rotation.kind === 'grace' ? String(provider.rotation.seconds) : '30',
    narrowing: provider.narrowing,
  };
}

/** Scopes as they were typed, one by one. */
export function scopes(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter((scope) => scope !== ''))];
}

/** Lines that hold something. */
export function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** A new provider as the engine takes it: what is not given is as usual. */
export function toCreate(fields: Fields): CreateProvider {
  const { name, client_id, project, display_name, client_secret } = fields;
  const body: CreateProvider = { name: name.trim(), client_id: client_id.trim(), ...common(fields) };
  for (const field of TEXTS) if (fields[field].trim() !== '') body[field] = fields[field].trim();
  if (display_name.trim() !== '') body.display_name = display_name.trim();
  if (project.trim() !== '') body.project = project.trim();
  if (client_secret !== '') body.client_secret = client_secret;
  if (fields.token_endpoint_auth_method !== '') body.token_endpoint_auth_method = fields.token_endpoint_auth_method;
  return body;
}

/** Only what differs from the provider as it is. */
export function toUpdate(fields: Fields, before: Provider): UpdateProvider {
  const wanted: UpdateProvider = {
    name: fields.name.trim(),
    display_name: fields.display_name.trim(),
    client_id: fields.client_id.trim(),
    ...common(fields),
  };
  for (const field of TEXTS) wanted[field] = fields[field].trim();
  if (fields.token_endpoint_auth_method !== '') wanted.token_endpoint_auth_method = fields.token_endpoint_auth_method;
  const same = (key: keyof UpdateProvider) =>
    JSON.stringify(wanted[key] ?? '') === JSON.stringify(before[key as keyof Provider] ?? '');
  const keys = Object.keys(wanted) as (keyof UpdateProvider)[];
  const body: UpdateProvider = Object.fromEntries(keys.filter((key) => !same(key)).map((key) => [key, wanted[key]]));
  if (body.authorize_params) body.authorize_params = { ...removed(wanted, before), ...body.authorize_params };
  if (fields.secret === 'clear') body.client_secret = '';
  if (fields.secret === 'replace' && fields.client_secret !== '') body.client_secret = fields.client_secret;
  return body;
}

/** The parameters that are gone: in a merge patch, `null` removes a member (RFC 7396). */
function removed(wanted: UpdateProvider, before: Provider): Record<string, null> {
  const gone = Object.keys(before.authorize_params).filter((key) => wanted.authorize_params?.[key] === undefined);
  return Object.fromEntries(gone.map((key) => [key, null]));
}

function common(fields: Fields) {
  return {
    grant_type: fields.grant_type,
    default_scopes: scopes(fields.default_scopes),
    scope_separator: fields.scope_separator,
    use_pkce: fields.use_pkce,
    authorize_params: params(fields.authorize_params),
    redirect: fields.redirect,
    authorization_response_iss_parameter_supported: fields.authorization_response_iss_parameter_supported,
    rotation: rotation(fields),
    narrowing: fields.narrowing,
  };
}

function params(text: string): Record<string, string> {
  return Object.fromEntries(
    lines(text).map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

function rotation({ rotation: kind, rotation_seconds }: Fields): Rotation {
  return kind === 'grace' ? { kind, seconds: Number(rotation_seconds) } : { kind };
}
