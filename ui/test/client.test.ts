import { describe, expect, it } from 'vitest';
import { Client } from '../src/lib/transport/client';
import type { Response, Transport } from '../src/lib/transport/transport';
import { Failure } from '../src/lib/transport/failure';

function answering(answer: Response | Error) {
  const asked: unknown[][] = [];
  const nothing = () => Promise.resolve();
  const transport: Transport = {
    request: (...request) => {
      asked.push(request);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    changes: () => Promise.resolve(() => undefined),
    copyToken: nothing,
    copyCredential: nothing,
    createApp: () => Promise.reject(new Error('not here')),
    copyLink: nothing,
    openRegistration: nothing,
    closeWindow: nothing,
    choosePath: () => Promise.resolve(undefined),
    exportLog: () => Promise.resolve(null),
    setupTools: () => Promise.resolve([]),
    planSetup: () => Promise.reject(new Error('not here')),
    writeSetup: nothing,
    copyText: nothing,
  };
  return { client: new Client(transport), asked };
}

describe('the client', () => {
  it('puts names into the path, encoded, and only those parts of a query that are given', async () => {
    const { client, asked } = answering({ status: 200, body: {} });
    await client.call('get', '/v1/connections/{id}', { path: { id: 'github/wörk ?' } });
    await client.call('get', '/v1/events', { query: { limit: 5 } });
    expect(asked).toEqual([
      ['GET', '/v1/connections/github%2Fw%C3%B6rk%20%3F', undefined],
      ['GET', '/v1/events?limit=5', undefined],
    ]);
  });

  it('throws the envelope of a refusal with its code, its fields and its number', async () => {
    const error = {
      code: 'validation_error',
      message: 'name: no',
      request_id: 'r1',
      details: { fields: { name: 'no' } },
    };
    const { client } = answering({ status: 422, body: { error } });
    const failure = await client.call('get', '/v1/status').catch((cause: unknown) => cause);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      code: 'validation_error',
      message: 'name: no',
      requestId: 'r1',
      fields: { name: 'no' },
    });
  });

  it('makes an internal failure of an answer that is no envelope, and of no answer', async () => {
    for (const answer of [{ status: 502, body: '<html>' }, { status: 500, body: { error: 7 } }, new Error('gone')]) {
      const failure = await answering(answer)
        .client.call('get', '/v1/status')
        .catch((cause: unknown) => cause);
      expect(failure).toMatchObject({ code: 'internal' });
    }
  });

  it('knows no path, no body and no answer that the contract does not know', () => {
    const { client } = answering({ status: 200, body: {} });
    // Never run: it is svelte-check that fails when one of these becomes valid.
    const wrong = async () => {
      // @ts-expect-error no such path
      await client.call('get', '/v1/nothing');
      // @ts-expect-error this path has no such method
      await client.call('patch', '/v1/status');
      // @ts-expect-error the id is missing
      await client.call('get', '/v1/connections/{id}');
      // @ts-expect-error the body has no such field
      await client.call('patch', '/v1/connections/{id}', { path: { id: '1' }, body: { lable: 'x' } });
      // @ts-expect-error the answer has no such field
      expect((await client.call('get', '/v1/status')).secret).toBeUndefined();
    };
    expect(wrong).toBeTypeOf('function');
  });
});
