#!/usr/bin/env node
// The browser of a user whom the server asks nothing: opens the address of its last argument, and follows redirects
// with cookies. Tokenry takes an answer from no other browser than the one in which the sign-in was started.

import { once } from 'node:events';
import { get } from 'node:http';

const cookies = new Map();
let address = process.argv.at(-1);
for (let hops = 0; address && hops < 10; hops += 1) {
  const { host } = new URL(address);
  const own = cookies.get(host) ?? [];
  const headers = own.length > 0 ? { cookie: own.join('; ') } : {};
  // `fetch` would say of itself that it is a script, which Tokenry turns away.
  const [response] = await once(get(address, { headers }), 'response');
  response.resume();
  const kept = (response.headers['set-cookie'] ?? []).map((text) => text.split(';')[0]);
  cookies.set(host, [...own, ...kept]);
  const { location } = response.headers;
  address = location && new URL(location, address).href;
}
