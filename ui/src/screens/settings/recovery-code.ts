/** The check that a recovery code was written down. What is typed is judged by the engine when it counts. */

/** Two different numbers from 1 to `groups`, in their order. */
export function twoOf(groups: number): [number, number] {
  const first = Math.floor(Math.random() * groups);
  const second = (first + 1 + Math.floor(Math.random() * (groups - 1))) % groups;
  return [Math.min(first, second) + 1, Math.max(first, second) + 1];
}

/** Whether this is the group, in upper or lower case; O counts as 0, and I and L as 1. */
export function isGroup(group: string | undefined, typed: string | undefined): boolean {
  const plain = (typed ?? '').trim().toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
  return plain !== '' && plain === group;
}
