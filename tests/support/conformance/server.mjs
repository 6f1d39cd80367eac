#!/usr/bin/env node
// A remote MCP server of the official TypeScript SDK on the loopback interface, with an authorization server that gives each
// refresh token once and signs everybody in who comes.
//
// Prints its address as one line of JSON when it is ready, and ends with its standard input.
//
//   /mcp     Streamable HTTP with sessions and resumable streams
//   /sse     the older HTTP+SSE transport
//   /open    Streamable HTTP without a session and without authorization
//   /stats   how often clients were registered, users signed in, tokens were refreshed, refresh tokens were used twice; the
//            resource and the scopes of the last sign-in; how many calls were held at once
//   /expire  from now on, no access token that was given so far is good
//   /deny    the next user who signs in denies it
//   /forget  from now on, the server knows no session that was begun so far

import { randomUUID } from 'node:crypto';
import express from 'express';
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { InvalidGrantError, InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const stats = { registrations: 0, signIns: 0, refreshes: 0, reused: 0, sessions: 0, ended: 0, resumed: 0, calls: 0, held: 0, mostHeld: 0 };
const clients = new Map();
const codes = new Map();
const access = new Map();
const refresh = new Map();
const sessions = new Map();
let denies = false;

const once = (store, key) => {
  const value = store.get(key);
  store.delete(key);
  return value;
};

function issue(clientId, scopes, resource) {
  const tokens = { access_token: randomUUID(), refresh_token: randomUUID(), token_type: 'bearer', expires_in: 3600 };
  access.set(tokens.access_token, { clientId, scopes, resource });
  refresh.set(tokens.refresh_token, { clientId, scopes, resource });
  return { ...tokens, scope: scopes.join(' ') };
}

const provider = {
  clientsStore: {
    getClient: (id) => clients.get(id),
    registerClient(client) {
      stats.registrations += 1;
      clients.set(client.client_id, client);
      return client;
    },
  },
  async authorize(client, params, response) {
    const target = new URL(params.redirectUri);
    if (denies) {
      denies = false;
      target.searchParams.set('error', 'access_denied');
    } else {
      stats.signIns += 1;
      stats.last = { resource: params.resource?.href, scopes: params.scopes };
      const code = randomUUID();
      codes.set(code, { client, params });
      target.searchParams.set('code', code);
    }
    if (params.state) target.searchParams.set('state', params.state);
    response.redirect(target.href);
  },
  challengeForAuthorizationCode: async (client, code) => codes.get(code)?.params.codeChallenge,
  async exchangeAuthorizationCode(client, code) {
    const found = once(codes, code);
    if (!found) throw new InvalidGrantError('unknown code');
    return issue(client.client_id, found.params.scopes ?? [], found.params.resource);
  },
  async exchangeRefreshToken(client, token) {
    const found = once(refresh, token);
    if (!found) {
      stats.reused += 1;
      throw new InvalidGrantError('used before');
    }
    stats.refreshes += 1;
    return issue(client.client_id, found.scopes, found.resource);
  },
  async verifyAccessToken(token) {
    const found = access.get(token);
    if (!found) throw new InvalidTokenError('unknown token');
    return { token, ...found, expiresAt: Math.floor(Date.now() / 1000) + 3600 };
  },
};

function mcpServer() {
  const server = new McpServer({ name: 'files', version: '1.0.0' });
  const text = (value) => ({ content: [{ type: 'text', text: value }] });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  // The stream of the answer breaks before the answer.
  server.registerTool('broken', {}, async (extra) => {
    extra.closeSSEStream?.();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return text('whole');
  });
  // The server says something by itself, on the stream that belongs to no request.
  server.registerTool('announce', {}, async () => {
    setTimeout(() => server.server.sendLoggingMessage({ level: 'info', data: 'announced' }), 100);
    return text('soon');
  });
  server.registerTool('hold', { inputSchema: { milliseconds: z.number() } }, async ({ milliseconds }) => {
    stats.calls += 1;
    stats.held += 1;
    stats.mostHeld = Math.max(stats.mostHeld, stats.held);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    stats.held -= 1;
    return text('held');
  });
  server.registerTool('stream', { inputSchema: { count: z.number(), size: z.number() } }, async (args, extra) => {
    const data = 'x'.repeat(args.size);
    for (let at = 0; at < args.count; at += 1) {
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
    }
    return text('done');
  });
  server.server.registerCapabilities({ logging: {} });
  return server;
}

const app = express();
const listener = app.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${listener.address().port}`;
  routes(origin);
  console.log(JSON.stringify({ address: origin }));
});

function routes(origin) {
  app.get('/stats', (_, response) => response.json(stats));
  app.post('/expire', (_, response) => {
    access.clear();
    response.end();
  });
  app.post('/deny', (_, response) => {
    denies = true;
    response.end();
  });
  app.post('/forget', (_, response) => {
    sessions.clear();
    response.end();
  });
  app.use(
    mcpAuthRouter({
      provider,
      issuerUrl: new URL(origin),
      resourceServerUrl: new URL(`${origin}/mcp`),
      scopesSupported: ['files'],
      clientRegistrationOptions: { rateLimit: false },
      authorizationOptions: { rateLimit: false },
      tokenOptions: { rateLimit: false },
    }),
  );
  const older = { resource: `${origin}/sse`, authorization_servers: [origin], scopes_supported: ['files'] };
  app.get('/.well-known/oauth-protected-resource/sse', (_, response) => response.json(older));
  const guard = (path) => {
    const resourceMetadataUrl = `${origin}/.well-known/oauth-protected-resource${path}`;
    return requireBearerAuth({ verifier: provider, resourceMetadataUrl });
  };
  app.use(express.json({ limit: '50mb' }));
  app.all('/mcp', guard('/mcp'), streamable);
  app.all('/open', async (request, response) => {
    if (request.method !== 'POST') return response.status(405).end();
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    await mcpServer().connect(transport);
    return transport.handleRequest(request, response, request.body);
  });
  app.get('/sse', guard('/sse'), async (_, response) => {
    const transport = new SSEServerTransport('/messages', response);
    sessions.set(transport.sessionId, transport);
    stats.sessions += 1;
    await mcpServer().connect(transport);
  });
  app.post('/messages', guard('/sse'), (request, response) => {
    const transport = sessions.get(request.query.sessionId);
    if (!transport) return response.status(404).end();
    return transport.handlePostMessage(request, response, request.body);
  });
}

async function streamable(request, response) {
  const id = request.headers['mcp-session-id'];
  if (request.headers['last-event-id']) stats.resumed += 1;
  if (request.method === 'DELETE') stats.ended += 1;
  if (id) {
    const known = sessions.get(id);
    if (known) return known.handleRequest(request, response, request.body);
    return response.status(404).json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } });
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new InMemoryEventStore(),
    retryInterval: 50,
    onsessioninitialized(session) {
      stats.sessions += 1;
      sessions.set(session, transport);
    },
  });
  await mcpServer().connect(transport);
  return transport.handleRequest(request, response, request.body);
}

process.stdin.on('end', () => process.exit(0)).resume();
