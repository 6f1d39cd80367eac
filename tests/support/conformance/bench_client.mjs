#!/usr/bin/env node
// Two clients of the official TypeScript SDK: one that starts the program of its command line as its server, and one that reaches
// the same remote server itself.
//
// Prints {"ready": <pid of the program>}. Then each line of its standard input is JSON, {"measure"}, and it prints what came of it:
//
//   calls    the same calls by the one client and by the other, in turn: {"direct", "bridged"}, in milliseconds.
//            The line also has "url", "token" and "count".
//   held     1,000 calls of the program at once, which the server holds for a while: {"answers"}
//   stream   100 MiB of messages of the server through the program: {"bytes"}
//
// It ends with its standard input.

import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

const [command, ...args] = process.argv.slice(2);
const WARM_UP = 50;
const AT_ONCE = 1000;
const HOLD = 1000;
const PIECE = 256 * 1024;
const PIECES = 400;
const OPTIONS = { timeout: 300_000 };

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const bridge = new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' });
const bridged = new Client({ name: 'bridged', version: '1.0.0' });
await bridged.connect(bridge);

async function time(client) {
  const began = process.hrtime.bigint();
  await client.callTool({ name: 'echo', arguments: { text: 'a' } });
  return Number(process.hrtime.bigint() - began) / 1e6;
}

const measured = {
  async calls({ url, token, count }) {
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    const direct = new Client({ name: 'direct', version: '1.0.0' });
    await direct.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    const times = { direct: [], bridged: [] };
    for (let at = 0; at < count + WARM_UP; at += 1) {
      const pair = { direct: await time(direct), bridged: await time(bridged) };
      if (at >= WARM_UP) for (const kind of Object.keys(pair)) times[kind].push(pair[kind]);
    }
    return times;
  },
  async held() {
    const call = () => bridged.callTool({ name: 'hold', arguments: { milliseconds: HOLD } }, undefined, OPTIONS);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, call));
    return { answers: answers.filter((answer) => answer.content[0].text === 'held').length };
  },
  async stream() {
    let bytes = 0;
    bridged.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      bytes += params.data.length;
    });
    await bridged.callTool({ name: 'stream', arguments: { count: PIECES, size: PIECE } }, undefined, OPTIONS);
    return { bytes };
  },
};

print({ ready: bridge.pid });
for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line);
  print(await measured[given.measure](given));
}
process.exit(0);
