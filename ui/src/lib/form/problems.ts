/** From the name of a field to what is wrong with it. */
export type Problems = Record<string, string>;
