// Who may ask this server for tokens, and where it sends the browser back to.

import { randomBytes } from 'node:crypto';

const REDIRECTS = ['http://127.0.0.1/cb/sandbox', 'http://[::1]/cb/sandbox', 'io.github.tokenry:/cb/sandbox'];

// Tokenry has a redirect URI per provider (RFC 8252, 8.10), and the name is the person's choice.
const NAME = '[a-z0-9]+(?:-[a-z0-9]+)*';
const LOOPBACK = new RegExp(`^http://(?:127\\.0\\.0\\.1|\\[::1\\])(?::[0-9]{1,5})?/cb/${NAME}$`);
const DEEP_LINK = new RegExp(`^io\\.github\\.tokenry:/cb/${NAME}$`);

/** What is allowed to a native client beyond the addresses it registered: /cb/<name>, and nothing else. */
export function redirectUriAllowed(client, uri) {
  return client.applicationType === 'native' && (LOOPBACK.test(uri) || DEEP_LINK.test(uri));
}

/** The clients that are always there, and further ones, native with a code unless they say otherwise. */
export function clients(further) {
  const code = {
    application_type: 'native',
    redirect_uris: REDIRECTS,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  const secret = () => randomBytes(24).toString('base64url');
  return [
    { ...code, client_id: 'tokenry-sandbox', client_name: 'Tokenry', token_endpoint_auth_method: 'none' },
    {
      ...code,
      client_id: 'tokenry-sandbox-confidential',
      client_name: 'Tokenry (confidential)',
      client_secret: secret(),
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      client_id: 'tokenry-sandbox-service',
      client_name: 'Tokenry (service)',
      client_secret: secret(),
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    ...further.map((client) => ({ ...code, ...client })),
  ];
}
