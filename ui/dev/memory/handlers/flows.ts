/** Open sign-ins. */
import { ApiError } from '../api-error';
import type { MemoryEngine } from '../engine';
import { on, SUCCESS } from './on';

export const flows = [
  on('get', '/v1/flows/{id}', (engine, { path }) => engine.flow(path.id)),
  on('delete', '/v1/flows/{id}', (engine, { path }) => {
    engine.end(path.id, { status: 'cancelled' });
    return SUCCESS;
  }),
  on('post', '/v1/flows/{id}/open', (engine, { path }) => {
    engine.flow(path.id);
    return SUCCESS;
  }),
  on('post', '/v1/callback', (engine, { body }) => callback(engine, body.url)),
];

function callback(engine: MemoryEngine, url: string) {
  const flow = [...engine.flows.values()].find(({ status }) => status === 'waiting');
  if (!flow || !url.includes('code=')) {
    const problem = 'answers no open sign-in; open sign-ins stay open';
    throw new ApiError('validation_error', `the redirect was refused: it ${problem}`, { fields: { url: problem } });
  }
  engine.end(
    flow.id,
    { status: 'connected' },
    { account: { display_name: 'ada@example.org', subject: '42', email: 'ada@example.org' } },
  );
  return { success: true, connection_id: flow.connection_id };
}
