/** A typed client of the API: paths, bodies and responses come from the contract. */
import type { Paths } from '../types';
import type { Transport } from './transport';
import { Failure } from './failure';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The methods of a path. */
export type MethodsOf<P extends keyof Paths> = {
  [M in Method]: Paths[P] extends Record<M, object> ? M : never;
}[Method];

export type Operation<P extends keyof Paths, M extends MethodsOf<P>> = Paths[P][M & keyof Paths[P]];

/** The names in braces of a path. */
type Names<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

type Given<T> = [NonNullable<T>] extends [never] ? never : NonNullable<T>;

type JsonOf<R> = [R] extends [never] ? never : R extends { content: { 'application/json': infer B } } ? B : never;
type BodyOf<O> = O extends { requestBody?: infer R } ? JsonOf<Given<R>> : never;
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Given<Q> : never;

/** What an operation answers when it succeeds. */
export type ResponseOf<O> = O extends { responses: infer R } ? JsonOf<R[Extract<keyof R, 200 | 201 | 202>]> : never;

/** What a request to an operation holds: the names of its path, its body and its query. */
export type RequestOf<P extends string, O> = ([Names<P>] extends [never]
  ? object
  : { path: Record<Names<P>, string> }) &
  ([BodyOf<O>] extends [never] ? object : { body: BodyOf<O> }) &
  ([QueryOf<O>] extends [never] ? object : { query?: QueryOf<O> });

/** `{}` may be left out. */
type Rest<R> = object extends R ? [request?: R] : [request: R];

type LooseRequest = { path?: Record<string, string>; body?: unknown; query?: Record<string, unknown> };

export class Client {
  constructor(readonly transport: Transport) {}

  /**
   * Calls one operation and returns its response.
   *
   * @throws Failure when the operation failed or nothing answered.
   */
  async call<P extends keyof Paths & string, M extends MethodsOf<P>>(
    method: M,
    path: P,
    ...[request]: Rest<RequestOf<P, Operation<P, M>>>
  ): Promise<ResponseOf<Operation<P, M>>> {
    const loose: LooseRequest = request ?? {};
    try {
      const { status, body } = await this.transport.request(method.toUpperCase(), address(path, loose), loose.body);
      if (status >= 200 && status < 300) return body as ResponseOf<Operation<P, M>>;
      throw Failure.from(body);
    } catch (cause) {
      throw Failure.from(cause);
    }
  }
}

function address(path: string, { path: names = {}, query = {} }: LooseRequest): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ''));
  const pairs = Object.entries(query)
    .filter(([, value]) => value != null)
    .map(([key, value]) => [key, String(value)]);
  return pairs.length > 0 ? `${filled}?${new URLSearchParams(pairs)}` : filled;
}
