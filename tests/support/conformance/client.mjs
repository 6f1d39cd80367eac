#!/usr/bin/env node
// A client of an MCP server that gets its tokens from Tokenry: `tokenry provider add ADDRESS`, `connect`, `token`.
//
// The conformance program runs it once for each scenario, with the server's address as its last argument. It uses the
// `tokenry` of TOKENRY_PROGRAM, whose engine is running; the socket of the engine is TOKENRY_SOCKET. The engine's
// `xdg-open` is `browser.mjs`.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const run = promisify(execFile);
const server = new URL(process.argv.at(-1));
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const name = scenario.replaceAll(/[^a-z0-9]+/g, '-');

// The client ID that the program knows; a server that takes no such ID registers Tokenry.
const DOCUMENT = 'https://conformance-test.local/client-metadata.json';

// How often a token that can do too little leads to a sign-in.
const MAX_SIGN_INS = 3;

async function tokenry(args, stdin) {
  const running = run(process.env.TOKENRY_PROGRAM, args);
  // A program that reads nothing may have ended by now.
  if (stdin !== undefined) running.child.stdin.end(stdin);
  const { stdout, stderr } = await running;
  process.stderr.write(stderr);
  return stdout.trim();
}

/** A request to the engine: the command line has no word for what a server said of a token. */
function engine(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: process.env.TOKENRY_SOCKET, method, path, headers: { host: 'tokenry' } });
    sent.setHeader('content-type', 'application/json');
    sent.on('error', reject).on('response', async (response) => {
      const parts = await response.toArray();
      resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(parts).toString() || 'null') });
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function connect() {
  const add = ['provider', 'add', server.href, '--name', name, '--yes', '--parent-resource'];
  if (context.client_id) add.push('--client-id', context.client_id);
  else add.push('--client-metadata', DOCUMENT);
  if (context.client_secret) add.push('--client-secret-stdin');
  await tokenry(add, context.client_secret);
  await tokenry(['connect', name]);
}

/** The new token after a server has said that this one can do too little. */
async function withMore(token, scope) {
  const fingerprint = createHash('sha256').update(token).digest('hex');
  const challenge = { error: 'insufficient_scope', scope, resource: server.href };
  const answer = await engine('POST', `/v1/connections/${name}/rejected`, { fingerprint, challenge });
  if (answer.body.outcome !== 'sign_in') throw new Error(`no sign-in: ${JSON.stringify(answer)}`);
  await engine('POST', `/v1/flows/${answer.body.flow_id}/open`);
  for (;;) {
    const flow = await engine('GET', `/v1/flows/${answer.body.flow_id}?wait_seconds=5`);
    if (flow.body.status !== 'waiting') break;
  }
}

/** Adds the token to each request, as a program that has Tokenry does. */
async function withToken(url, init) {
  let isConnected = name in known;
  for (let signIns = 0; ; signIns += 1) {
    const headers = new Headers(init.headers);
    const token = isConnected ? await tokenry(['token', name]) : undefined;
    if (token) headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(url, { ...init, headers });
    const challenge = response.headers.get('www-authenticate') ?? '';
    if (signIns === MAX_SIGN_INS) return response;
    if (response.status === 401 && !isConnected) {
      await connect();
      known[name] = isConnected = true;
    } else if (response.status === 403 && challenge.includes('insufficient_scope')) {
      await withMore(token, /scope="([^"]*)"/.exec(challenge)?.[1]);
    } else {
      return response;
    }
  }
}

const known = {};
const client = new Client({ name: 'tokenry-test', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(server, { fetch: withToken }));
const { tools } = await client.listTools();
for (const tool of tools) await client.callTool({ name: tool.name, arguments: {} });
await client.close();
