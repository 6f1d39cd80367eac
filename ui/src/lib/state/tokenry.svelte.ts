import { getContext, setContext } from 'svelte';
import { Client } from '../transport/client';
import type { ClosingAnswer, Transport } from '../transport/transport';
import { Failure } from '../transport/failure';
import { who } from '../text/connection';
import { day } from '../text/time';
import type { Change, Connection, Provider, WindowNotice } from '../types';
import { messages } from '../messages';
import { Apps } from './apps.svelte';
import { Backups } from './backups.svelte';
import { Catalog } from './catalog.svelte';
import { Clock } from './clock.svelte';
import { Connections } from './connections.svelte';
import { Credentials } from './credentials.svelte';
import { Engine } from './engine.svelte';
import { Events } from './events.svelte';
import { Flows, type Start } from './flows.svelte';
import { Notices } from './notices.svelte';
import { Protection } from './protection.svelte';
import { Providers } from './providers.svelte';
import { Settings } from './settings.svelte';
import { Tools } from './tools.svelte';

/** How often the engine is told at most that the window is used. */
const USE_INTERVAL_MS = 20_000;

/** The state of the whole window. It loads everything at the start, and again whatever a change names. */
export class Tokenry {
  readonly transport: Transport;
  readonly engine: Engine;
  readonly providers: Providers;
  readonly catalog: Catalog;
  readonly connections: Connections;
  readonly flows: Flows;
  readonly events: Events;
  readonly apps: Apps;
  readonly credentials: Credentials;
  readonly settings: Settings;
  readonly backups: Backups;
  readonly protection: Protection;
  readonly tools: Tools;
  readonly notices = new Notices();
  readonly clock = new Clock();
  /** The row that should get the focus: the id of a connection, a credential or a provider. The list takes it. */
  row = $state.raw<string | undefined>();
  /** The connection that was made and whose account is not known: its label is asked for. */
  unnamed = $state.raw<string | undefined>();
  /** The user closes the window, and has to say what is to become of the engine. */
  closing = $state(false);
  /** The recovery code opened the vault: what it replaced is probably lost. */
  usedRecoveryCode = $state(false);

  #open = false;
  #usedAt = 0;
  #stopChanges: (() => void) | undefined;

  constructor(transport: Transport) {
    this.transport = transport;
    const client = new Client(transport);
    this.engine = new Engine(client);
    this.providers = new Providers(client);
    this.catalog = new Catalog(client);
    this.flows = new Flows(client, (id) => void this.#connected(id));
    this.connections = new Connections(
      client,
      (connection) => this.flows.follow(connection),
      (connection) => this.#endsSoon(connection),
    );
    this.events = new Events(client);
    this.apps = new Apps(client);
    this.credentials = new Credentials(client);
    this.settings = new Settings(client);
    this.backups = new Backups(client);
    this.protection = new Protection(client);
    this.tools = new Tools(client, this.connections);
  }

  /** Listens first and loads then, so that nothing falls between. Returns how to stop. */
  async start(): Promise<() => void> {
    const stopClock = this.clock.start();
    await this.look();
    return () => {
      stopClock();
      this.#stopChanges?.();
    };
  }

  /** Asks how the engine is, and loads or forgets accordingly. */
  async look(): Promise<void> {
    try {
      this.#stopChanges ??= await this.transport.changes((change) => void this.attempt(() => this.#hear(change)));
    } catch (cause) {
      this.engine.failure = Failure.from(cause);
      return;
    }
    await this.engine.load();
    await this.#follow();
  }

  /** @throws Failure */
  async unlock(passphrase?: string, create = false): Promise<void> {
    try {
      await this.engine.unlock(passphrase, create);
    } finally {
      await this.#follow();
    }
  }

  /** @throws Failure */
  async unlockWithCode(code: string): Promise<void> {
    try {
      await this.engine.unlockWithCode(code);
      this.usedRecoveryCode = true;
    } finally {
      await this.#follow();
    }
  }

  /** A click or a key: auto-lock counts it, where nothing else says whether the user is idle. */
  noteUse(): void {
    const now = Date.now();
    if (!this.#open || now - this.#usedAt < USE_INTERVAL_MS) return;
    this.#usedAt = now;
    // One that is lost is made up for by the next.
    void this.engine.used().catch(() => undefined);
  }

  async lock(): Promise<void> {
    await this.attempt(() => this.engine.lock());
    await this.#follow();
  }

  async acceptOlder(): Promise<void> {
    await this.attempt(async () => {
      await this.engine.acceptOlder();
      this.notices.say(messages.header.olderAccepted);
    });
  }

  /** Opens the browser at the provider; one that needs no browser is connected at once. @throws Failure */
  async connect(provider: Provider, start: Start = {}): Promise<void> {
    if (provider.grant_type === 'authorization_code') {
      const device = start.device || provider.authorization_endpoint == null;
      const { id, isNew } = await this.flows.start(provider.id, device ? { ...start, device } : start);
      if (device) return;
      // Without a browser the sign-in waits all the same: its link can be copied.
      if (isNew) await this.attempt(() => this.flows.openBrowser(id));
      return;
    }
    const label = start.label ?? (start.connection ? this.connections.get(start.connection)?.label : undefined);
    await this.connections.connect(provider.id, label ?? undefined);
    this.notices.say(messages.signIn.connectedPlain(provider.display_name));
  }

  /** Does it, and shows the failure when there is one. Returns whether it went well. */
  async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (cause) {
      await this.failed(cause);
      return false;
    }
  }

  /** Shows a failure; one of a locked vault by the lock screen itself. */
  async failed(cause: unknown): Promise<void> {
    if (Failure.from(cause).code === 'vault_locked') await this.look();
    else this.notices.fail(cause);
  }

  async #follow(): Promise<void> {
    if (this.engine.unlocked === this.#open) return;
    this.#open = this.engine.unlocked;
    if (this.#open) await this.#loadAll();
    else {
      // What the vault sealed is not kept here either.
      const parts = [this.providers, this.connections, this.flows, this.events, this.apps];
      for (const part of [...parts, this.credentials, this.settings, this.backups, this.notices]) part.clear();
    }
  }

  /** Whether there is something with this id in the list of providers, connections and credentials. */
  knows(id: string): boolean {
    const lists = [this.providers, this.connections, this.credentials];
    return id === 'credentials' ? this.credentials.loaded : lists.some((list) => list.get(id) !== undefined);
  }

  /** Loads everything, and shows the failure when there is one. */
  async reload(): Promise<void> {
    await this.#loadAll();
  }

  async #loadAll(): Promise<void> {
    await this.attempt(async () => {
      const lists = [this.providers.load(), this.connections.load(), this.credentials.load(), this.apps.load()];
      // The settings are loaded only after they were opened.
      if (this.settings.now) lists.push(this.settings.load());
      await Promise.all([...lists, this.flows.again(), this.events.again()]);
    });
  }

  async #hear(change: Change): Promise<void> {
    if (change.type === 'engine.changed') return this.#engineChanged();
    if (change.type === 'link.refused') return this.notices.say(messages.window.linkRejected, change.message, 'bad');
    if (change.type === 'window.notice') return this.#aboutTheWindow(change.notice);
    if (!this.#open) return;
    switch (change.type) {
      case 'provider.changed':
        return this.providers.changed(change.id);
      case 'credential.changed':
        return this.#credentialChanged(change.id);
      case 'flow.changed':
        return this.flows.changed(change.id);
      case 'apps.changed':
        return this.apps.load();
      case 'activity':
        this.events.add(change.event);
        if (change.event.kind === 'settings_changed' && this.settings.now) return this.settings.load();
    }
  }

  #aboutTheWindow(notice: WindowNotice): void {
    if (notice === 'closing_without_tray') this.closing = true;
    else this.notices.say(messages.window.reloaded, messages.window.reloadedText, 'plain');
  }

  /** @throws when the shell does not answer */
  async closeWindow(answer: ClosingAnswer): Promise<void> {
    this.closing = false;
    await this.attempt(() => this.transport.closeWindow(answer));
  }

  /** Locked, unlocked, or so many changes that single ones were left out: everything is loaded again. */
  async #engineChanged(): Promise<void> {
    const wasOpen = this.#open;
    await this.look();
    if (wasOpen && this.#open) await this.#loadAll();
  }

  /** Connections are credentials in the contract. A new id can be either. */
  async #credentialChanged(id: string): Promise<void> {
    const [isConnection, isCredential] = [this.connections.get(id), this.credentials.get(id)];
    if (!isCredential) await this.connections.changed(id);
    if (!isConnection) await this.credentials.changed(id);
  }

  async #connected(id: string): Promise<void> {
    await this.attempt(() => this.connections.reload(id));
    const connection = this.connections.get(id);
    if (!connection) return;
    this.notices.say(connectedWords(connection));
    if (!connection.account && !connection.label) this.unnamed = id;
  }

  /** Says once that a sign-in ends soon. */
  #endsSoon(connection: Connection): void {
    const before = connection.sign_in_again_before;
    if (connection.status !== 'expiring' || !before) return;
    const name = who(connection) ?? connection.name;
    this.notices.say(name, messages.connection.signInBefore(day(before)), 'plain');
  }
}

function connectedWords(connection: Connection): string {
  const name = who(connection);
  return name ? messages.signIn.connected(name) : messages.signIn.connectedPlain(connection.name);
}

const KEY = Symbol('tokenry');

export function provide(tokenry: Tokenry): Tokenry {
  return setContext(KEY, tokenry);
}

export function use(): Tokenry {
  return getContext<Tokenry>(KEY);
}
