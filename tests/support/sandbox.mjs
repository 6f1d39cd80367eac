#!/usr/bin/env node
// A real authorization server (oidc-provider, OpenID certified) on this machine's loopback interface.
//
//   node sandbox.mjs [--port N] [--access-token-ttl SECONDS] [--clients JSON] [--dpop-nonce] [--tls FILE.pem]
//                    [--device SECONDS] [--stdin-lifeline]
//
// --clients is a list of further clients, as RFC 7591 writes their metadata; --dpop-nonce wants a nonce in each proof;
// --tls names a file with a certificate for localhost and its key, and makes it https; --device lets users sign in on another
// device (RFC 8628), with codes that live this long.
//
// Prints one line of JSON when it is ready. With --stdin-lifeline it ends when its standard input does, so that
// it never outlives who started it. Everything it knows is in memory.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { parseArgs } from 'node:util';

// Standard output has the one line and nothing else; what the library has to say goes to standard error.
console.log = console.info = console.warn = console.error;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'access-token-ttl': { type: 'string', default: '300' },
    clients: { type: 'string', default: '[]' },
    'dpop-nonce': { type: 'boolean', default: false },
    tls: { type: 'string' },
    device: { type: 'string' },
    'stdin-lifeline': { type: 'boolean', default: false },
  },
});

function whole(name, least, most) {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < least || number > most) {
    console.error(`sandbox: --${name} must be a whole number from ${least} to ${most}`);
    process.exit(2);
  }
  return number;
}

const port = whole('port', 0, 65535);
const accessTokenTtl = whole('access-token-ttl', 1, 86400);
const deviceCodeTtl = values.device === undefined ? 0 : whole('device', 1, 3600);

if (values['stdin-lifeline']) {
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
}

const pem = values.tls && readFileSync(values.tls);
const server = pem ? https.createServer({ cert: pem, key: pem }) : http.createServer();
server.on('error', (error) => {
  console.error(`sandbox: cannot listen on 127.0.0.1:${port}: ${error.code}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', async () => {
  const { sandbox } = await import('./sandbox/provider.mjs');
  const origin = pem ? 'https://localhost' : 'http://127.0.0.1';
  const issuer = `${origin}:${server.address().port}`;
  const { handler, description } = sandbox(issuer, accessTokenTtl, {
    clients: JSON.parse(values.clients),
    dpopNonce: values['dpop-nonce'],
    deviceCodeTtl,
  });
  server.on('request', handler);
  process.stdout.write(`${JSON.stringify(description)}\n`);
});
