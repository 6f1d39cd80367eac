// The server's configuration: what a provider that Tokenry connects to is like.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { errors, Provider } from 'oidc-provider';
import { Accounts } from './accounts.mjs';
import { clients, redirectUriAllowed } from './clients.mjs';
import { interactions } from './interactions.mjs';
import { codeConfirmPage, codeInputPage, codeSuccessPage, errorPage } from './pages.mjs';

const DAY = 24 * 60 * 60;

// The one resource that a token can be for (RFC 8707). Any other is an invalid_target.
const RESOURCE = 'https://api.sandbox.example/';

function resourceServer(_ctx, resource) {
  if (resource !== RESOURCE) throw new errors.InvalidTarget();
  return { scope: 'read write', audience: RESOURCE, accessTokenFormat: 'opaque' };
}

export function sandbox(issuer, accessTokenTtl, { clients: further = [], dpopNonce = false, deviceCodeTtl = 0 } = {}) {
  const accounts = new Accounts();
  const registered = clients(further);
  const provider = new Provider(issuer, {
    clients: registered,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'read', 'write'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    findAccount: (_ctx, sub) => accounts.find(sub),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // Every refresh token is replaced when it is used; one that comes again ends the grant.
    rotateRefreshToken: () => true,
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = errorPage(out);
    },
    features: {
      deviceFlow: deviceFlow(deviceCodeTtl > 0),
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientAuthMethod !== 'none' },
      clientCredentials: { enabled: true },
      userinfo: { enabled: true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => dpopNonce },
    },
    ttl: {
      AccessToken: accessTokenTtl,
      ClientCredentials: accessTokenTtl,
      DeviceCode: deviceCodeTtl || 600,
      AuthorizationCode: 60,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 14 * DAY,
      Grant: 14 * DAY,
      Session: DAY,
    },
  });
  const original = provider.Client.prototype.redirectUriAllowed;
  provider.Client.prototype.redirectUriAllowed = function allowed(uri) {
    return original.call(this, uri) || redirectUriAllowed(this, uri);
  };
  provider.on('server_error', (_ctx, error) => console.error(error));
  return { handler: interactions(provider, accounts), description: describe(provider, issuer, registered, deviceCodeTtl) };
}

// The pages where a user types the code of another device (RFC 8628, 3.3).
function deviceFlow(enabled) {
  const shows = (html) => (ctx) => {
    ctx.type = 'html';
    ctx.body = html;
  };
  return {
    enabled,
    userCodeInputSource: (ctx, form, _out, error) => shows(codeInputPage(form, error))(ctx),
    userCodeConfirmSource: (ctx, form, client, _info, code) => shows(codeConfirmPage(form, client.clientName, code))(ctx),
    successSource: (ctx) => shows(codeSuccessPage())(ctx),
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'sandbox' };
}

function describe(provider, issuer, registered, deviceCodeTtl) {
  const at = (name) => provider.urlFor(name);
  return {
    issuer,
    authorization_endpoint: at('authorization'),
    token_endpoint: at('token'),
    userinfo_endpoint: at('userinfo'),
    revocation_endpoint: at('revocation'),
    introspection_endpoint: at('introspection'),
    pushed_authorization_request_endpoint: at('pushed_authorization_request'),
    jwks_uri: at('jwks'),
    ...(deviceCodeTtl > 0 && { device_authorization_endpoint: at('device_authorization') }),
    clients: registered.map((client) => ({
      client_id: client.client_id,
      client_secret: client.client_secret,
      token_endpoint_auth_method: client.token_endpoint_auth_method,
      grant_types: client.grant_types,
    })),
  };
}
