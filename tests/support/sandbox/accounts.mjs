// Every account exists: it is created when its user signs in.

import { createHash } from 'node:crypto';

export class Accounts {
  #bySub = new Map();

  /** Signs in under any name; the same name is the same account. */
  signIn(name) {
    const shown = name.replace(/\s+/gu, ' ').trim().slice(0, 100) || 'Ada Lovelace';
    const sub = createHash('sha256').update(shown.toLowerCase()).digest('hex').slice(0, 16);
    const account = this.#bySub.get(sub) ?? { name: shown, email: `${mailbox(shown)}@example.com` };
    this.#bySub.set(sub, account);
    return sub;
  }

  name(sub) {
    return this.#bySub.get(sub)?.name ?? sub;
  }

  find(sub) {
    const account = this.#bySub.get(sub);
    return account && { accountId: sub, claims: () => ({ sub, ...account, email_verified: true }) };
  }
}

function mailbox(name) {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '.').replace(/^\.|\.$/g, '') || 'someone';
}
