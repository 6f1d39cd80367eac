/** Operations of the contract, typed: a path, a body or an answer that the contract does not know is no TypeScript. */
import type { Paths } from '../types';
import type { Door } from './door';
import { Failure } from './failure';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The methods that a path has. */
type MethodsOf<P extends keyof Paths> = {
  [M in Method]: Paths[P] extends Record<M, object> ? M : never;
}[Method];

type Operation<P extends keyof Paths, M extends MethodsOf<P>> = Paths[P][M & keyof Paths[P]];

/** The names in braces of a path. */
type Names<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

type Known<T> = [NonNullable<T>] extends [never] ? never : NonNullable<T>;

type BodyOf<O> = O extends { requestBody?: infer R } ? JsonOf<Known<R>> : never;

type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Known<Q> : never;

type JsonOf<R> = [R] extends [never] ? never : R extends { content: { 'application/json': infer B } } ? B : never;
type AnswerOf<O> = O extends { responses: infer R } ? JsonOf<R[Extract<keyof R, 200 | 201 | 202>]> : never;

type Ask<P extends keyof Paths, M extends MethodsOf<P>> = ([Names<P>] extends [never]
  ? object
  : { path: Record<Names<P>, string> }) &
  ([BodyOf<Operation<P, M>>] extends [never] ? object : { body: BodyOf<Operation<P, M>> }) &
  ([QueryOf<Operation<P, M>>] extends [never] ? object : { query?: QueryOf<Operation<P, M>> });

/** `{}` may be left out where nothing has to be given. */
type Rest<A> = object extends A ? [ask?: A] : [ask: A];

type Loose = { path?: Record<string, string>; body?: unknown; query?: Record<string, unknown> };

export class Client {
  constructor(readonly door: Door) {}

  /**
   * Does one operation and returns what it answered.
   *
   * @throws Failure when it was refused, or when nothing answered.
   */
  async call<P extends keyof Paths & string, M extends MethodsOf<P>>(
    method: M,
    path: P,
    ...[ask]: Rest<Ask<P, M>>
  ): Promise<AnswerOf<Operation<P, M>>> {
    const loose = (ask ?? {}) as Loose;
    try {
      const { status, body } = await this.door.request(method.toUpperCase(), address(path, loose), loose.body);
      if (status >= 200 && status < 300) return body as AnswerOf<Operation<P, M>>;
      throw Failure.from(body);
    } catch (cause) {
      throw Failure.from(cause);
    }
  }
}

function address(path: string, { path: names = {}, query = {} }: Loose): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ''));
  const pairs = Object.entries(query)
    .filter(([, value]) => value != null)
    .map(([key, value]) => [key, String(value)]);
  return pairs.length > 0 ? `${filled}?${new URLSearchParams(pairs)}` : filled;
}
