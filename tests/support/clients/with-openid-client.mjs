#!/usr/bin/env node
// A third-party program that uses Tokenry through openid-client, as its documentation says: all that it knows
// of Tokenry are the paths below /v1. Prints what happened in lines of JSON, none of which holds a token.
//
//   node with-openid-client.mjs --issuer URL --client-id ID --granted NAME --withheld NAME --userinfo URL

import { once } from 'node:events';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import * as oauth from 'openid-client';

const text = { type: 'string' };
const { values: given } = parseArgs({
  options: { issuer: text, 'client-id': text, granted: text, withheld: text, userinfo: text },
});

const say = (step, what = {}) => process.stdout.write(`${JSON.stringify({ step, ...what })}\n`);

// RFC 8414. Plain http has to be allowed by name; here it never leaves the machine.
const server = await oauth.discovery(new URL(given.issuer), given['client-id'], undefined, oauth.None(), {
  algorithm: 'oauth2',
  execute: [oauth.allowInsecureRequests],
});
say('discovered', { issuer: server.serverMetadata().issuer });

// The redirect comes to a port that was free just now (RFC 8252 §7.3).
const listener = createServer().listen(0, '127.0.0.1');
await once(listener, 'listening');
const redirectUri = `http://127.0.0.1:${listener.address().port}/callback`;
const redirected = once(listener, 'request');

const pkceCodeVerifier = oauth.randomPKCECodeVerifier();
const state = oauth.randomState();
const address = oauth.buildAuthorizationUrl(server, {
  redirect_uri: redirectUri,
  scope: 'connections:read tokens:read',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
});
say('asks', { address: address.href });

const [request, response] = await redirected;
response.setHeader('connection', 'close').end('Signed in.');
listener.close();

// The library looks at `state`, and at `iss`, which the metadata promises (RFC 9207).
const answer = new URL(request.url, redirectUri);
const checks = { pkceCodeVerifier, expectedState: state };
const elsewhere = new URL(answer);
elsewhere.searchParams.set('iss', 'http://127.0.0.1:1');
await oauth.authorizationCodeGrant(server, elsewhere, checks).then(
  () => say('mixed-up', { refused: false }),
  ({ code }) => say('mixed-up', { refused: code === 'OAUTH_INVALID_RESPONSE' }),
);
const first = await oauth.authorizationCodeGrant(server, answer, checks);
say('authorized', { scope: first.scope, expires_in: first.expires_in });

/** One request to the API. The library throws what a 401 challenges with. */
async function call(accessToken, method, path) {
  const url = new URL(path, given.issuer);
  const answered = await oauth.fetchProtectedResource(server, accessToken, url, method).catch((error) => {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response;
    throw error;
  });
  const body = await answered.json();
  say('called', { path, status: answered.status, ...(answered.ok ? {} : { code: body.error.code }) });
  return body;
}

const token = (name) => `/v1/connections/${name}/token`;

const seen = await call(first.access_token, 'GET', '/v1/connections');
say('sees', { connections: seen.map(({ name }) => name) });

const handed = await call(first.access_token, 'POST', token(given.granted));
const account = await fetch(given.userinfo, { headers: { authorization: `Bearer ${handed.access_token}` } });
say('acts', { as: (await account.json()).email });

await call(first.access_token, 'POST', token(given.withheld));
await call(first.access_token, 'GET', '/v1/events');

const second = await oauth.refreshTokenGrant(server, first.refresh_token);
say('refreshed', { rotated: second.refresh_token !== first.refresh_token, scope: second.scope });
await call(second.access_token, 'POST', token(given.granted));

await oauth.tokenRevocation(server, second.refresh_token, { token_type_hint: 'refresh_token' });
say('revoked');
await call(second.access_token, 'POST', token(given.granted));
await oauth.refreshTokenGrant(server, second.refresh_token).then(
  () => say('refreshed'),
  ({ error }) => say('not-refreshed', { error }),
);
