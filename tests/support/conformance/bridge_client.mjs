#!/usr/bin/env node
// A client of the official TypeScript SDK that reaches its MCP server through `tokenry mcp`.
//
// The conformance program runs it once for each scenario, with the server's address as its last argument. It uses the
// `tokenry` of TOKENRY_PROGRAM, whose engine is running. The engine's `xdg-open` is `browser.mjs`.

import { writeFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const server = process.argv.at(-1);
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

// The client ID that the program knows; a server that takes no such ID registers Tokenry.
const DOCUMENT = 'https://conformance-test.local/client-metadata.json';

const info = { client_id: context.client_id ?? DOCUMENT, client_secret: context.client_secret };
const file = `client-${process.pid}.json`;
writeFileSync(file, JSON.stringify(info), { mode: 0o600 });
const args = ['mcp', server, '--static-oauth-client-info', `@${file}`];

const capabilities = { elicitation: { form: { applyDefaults: true } } };
const client = new Client({ name: 'tokenry-test', version: '1.0.0' }, { capabilities });
client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
const command = process.env.TOKENRY_PROGRAM;
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }));
const { tools } = await client.listTools();
for (const tool of tools) {
  const given = scenario === 'tools_call' ? { a: 5, b: 3 } : {};
  await client.callTool({ name: tool.name, arguments: given });
}
await client.close();
