/** What is wrong with a provider form, in the words of the engine, which looks again whatever is said here. */
import { messages } from '../messages';
import { lines, scopes, type Fields } from './provider';

export type Problems = Record<string, string>;

const texts = messages.providerForm.problems;

/** The parameters of a sign-in that nobody but Tokenry sets. */
const OURS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'state',
  'scope',
  'code_challenge',
  'code_challenge_method',
  'response_mode',
];

const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'refresh_endpoint',
  'revocation_endpoint',
  'userinfo_endpoint',
] as const;

/** From field to what is wrong with it; empty when nothing is. `isNew` and `secretKept` say what stood there before. */
export function problems(fields: Fields, isNew: boolean, secretKept: boolean): Problems {
  const found: Problems = {};
  const add = (field: string, wrong: string | undefined) => {
    if (wrong !== undefined) found[field] = wrong;
  };
  add('name', isName(fields.name.trim()) ? undefined : texts.name);
  if (isNew && fields.project.trim() !== '') add('project', isName(fields.project.trim()) ? undefined : texts.name);
  add('display_name', displayName(fields.display_name.trim(), isNew));
  add('client_id', clientId(fields.client_id.trim()));
  add('client_secret', clientSecret(fields, secretKept));
  for (const field of ENDPOINTS) add(field, endpoint(fields[field].trim(), allLoopback(fields)));
  add('authorization_endpoint', authorizationEndpoint(fields, found['authorization_endpoint']));
  if (fields.token_endpoint.trim() === '') add('token_endpoint', texts.needTokenEndpoint);
  add('issuer', issuer(fields.issuer.trim()));
  const separator = new TextEncoder().encode(fields.scope_separator).length;
  add('scope_separator', separator < 1 || separator > 4 ? texts.scopeSeparator : undefined);
  const badScope = scopes(fields.default_scopes).find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope));
  add('default_scopes', badScope === undefined ? undefined : texts.scope(badScope));
  add('authorize_params', params(fields.authorize_params));
  if (fields.rotation === 'grace') add('rotation', seconds(fields.rotation_seconds));
  return found;
}

export function isName(text: string): boolean {
  return text.length <= 64 && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text);
}

function displayName(text: string, isNew: boolean): string | undefined {
  const length = [...text].length;
  const missing = length === 0 && !isNew;
  return missing || length > 100 ? texts.displayName : undefined;
}

function clientId(text: string): string | undefined {
  const fits = text !== '' && new TextEncoder().encode(text).length <= 2048 && !/\p{Cc}/u.test(text);
  return fits ? undefined : texts.clientId;
}

function clientSecret(fields: Fields, secretKept: boolean): string | undefined {
  if (new TextEncoder().encode(fields.client_secret).length > 16384) return texts.clientSecret;
  const will = fields.secret === 'keep' ? secretKept : fields.secret === 'replace' && fields.client_secret !== '';
  // Replacing with nothing leaves what is kept.
  const keeps = fields.secret === 'replace' && fields.client_secret === '' && secretKept;
  return fields.grant_type === 'client_credentials' && !will && !keeps ? texts.needClientSecret : undefined;
}

function authorizationEndpoint(fields: Fields, wrong: string | undefined): string | undefined {
  if (fields.grant_type !== 'authorization_code') return wrong;
  const text = fields.authorization_endpoint.trim();
  if (text === '') return texts.needAuthorizationEndpoint;
  const carried = OURS.find((key) => parse(text)?.searchParams.has(key));
  return carried === undefined ? wrong : texts.endpointCarries(carried);
}

function endpoint(text: string, loopbackAllowed: boolean): string | undefined {
  if (text === '') return undefined;
  if (new TextEncoder().encode(text).length > 2048) return texts.urlLong;
  if (/[\s\p{Cc}]/u.test(text)) return texts.urlSpace;
  const url = parse(text);
  if (!url) return texts.url;
  if (url.protocol === 'http:') {
    if (!isLoopback(url)) return texts.http;
    if (!loopbackAllowed) return texts.mixed;
  } else if (url.protocol !== 'https:') return texts.https;
  if (text.includes('#')) return texts.fragment;
  if (url.username !== '' || url.password !== '') return texts.userinfo;
  return undefined;
}

function issuer(text: string): string | undefined {
  if (text === '') return undefined;
  const url = parse(text);
  const wrong = !url || endpoint(text, isLoopback(url)) !== undefined || text.includes('?');
  return wrong ? texts.issuer : undefined;
}

function params(text: string): string | undefined {
  for (const line of lines(text)) {
    const key = line.slice(0, Math.max(0, line.indexOf('='))).trim();
    if (key === '') return texts.paramLine(line);
    if (OURS.includes(key)) return texts.params(key);
  }
  return undefined;
}

function seconds(text: string): string | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? undefined : texts.seconds;
}

function allLoopback(fields: Fields): boolean {
  return ENDPOINTS.map((field) => parse(fields[field].trim()))
    .filter((url) => url !== undefined)
    .every(isLoopback);
}

function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d+){3}$/.test(url.hostname);
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
