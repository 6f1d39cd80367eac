/** Typed routes: a handler's request and response types come from its operation in the contract. */
import type { Method, MethodsOf, Operation, RequestOf, ResponseOf } from '../../src/lib/transport/client';
import type { Paths } from '../../src/lib/types';
import { ApiError } from './api-error';

type Handler<E, P extends keyof Paths, M extends MethodsOf<P>> = (
  engine: E,
  request: RequestOf<P, Operation<P, M>>,
) => ResponseOf<Operation<P, M>>;

export interface Route<E> {
  method: Method;
  /** The path with its names in braces. */
  path: string;
  /** A method and no property: a handler's request is narrower than `object`, and TypeScript allows that of methods. */
  handle(engine: E, request: object): unknown;
}

/** Declares the routes of an engine `E`. */
export function routesOf<E>() {
  return <P extends keyof Paths & string, M extends MethodsOf<P> & Method>(
    method: M,
    path: P,
    handle: Handler<E, P, M>,
  ): Route<E> => ({ method, path, handle });
}

/** The route of a request, with the names that its path gives. @throws ApiError */
export function find<E>(routes: readonly Route<E>[], method: string, path: string) {
  for (const route of routes) {
    const names = route.method === method.toLowerCase() ? match(route.path, path) : undefined;
    if (names) return { route, names };
  }
  throw new ApiError('not_found', `no operation ${method} ${path}`);
}

function match(template: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [template.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) names[name] = decodeURIComponent(given[at] ?? '');
    else if (part !== given[at]) return undefined;
  }
  return names;
}

/** The parameters of a query by the types of the contract: numbers and booleans are not text. */
export function parseQuery(query: string): Record<string, string | number | boolean> {
  const typed = (text: string) =>
    /^\d+$/.test(text) ? Number(text) : /^(true|false)$/.test(text) ? text === 'true' : text;
  return Object.fromEntries([...new URLSearchParams(query)].map(([key, value]) => [key, typed(value)]));
}
