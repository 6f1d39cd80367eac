/** The order of names, as readers expect it. One collator for all: `localeCompare` makes a new one for each call. */
export const byText = new Intl.Collator().compare;

/** The order of ids, which are made in the order of time. */
export const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
