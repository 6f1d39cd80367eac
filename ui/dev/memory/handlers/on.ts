/** Declares a route of the in-memory engine. */
import type { MemoryEngine } from '../engine';
import { routesOf } from '../routes';

export const on = routesOf<MemoryEngine>();

export const SUCCESS = { success: true };
