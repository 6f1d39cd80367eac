#!/usr/bin/env node
// A client of the official TypeScript SDK that starts a server as its child, as MCP clients do: the program and the arguments
// are those of the command line.
//
// Each line of its standard input is a call, {"tool", "arguments"}, and it prints the answer as one line of JSON: the text, or
// the error. What the server says by itself is a line {"said"}. It ends with its standard input.

import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

const [command, ...args] = process.argv.slice(2);
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const client = new Client({ name: 'tokenry-test', version: '1.0.0' });
client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => print({ said: params.data }));

try {
  await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }));
  print({ connected: client.getServerVersion().name });
  for await (const line of createInterface({ input: process.stdin })) {
    const { tool, arguments: given } = JSON.parse(line);
    try {
      const answer = await client.callTool({ name: tool, arguments: given ?? {} });
      print({ text: answer.content[0].text });
    } catch (error) {
      print({ error: error.message });
    }
  }
  await client.close();
} catch (error) {
  print({ error: error.message });
}
