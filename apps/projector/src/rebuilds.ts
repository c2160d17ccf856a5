import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreError } from '@sallyport/adapter-postgres-store';
import type { RebuildState, Store } from '@sallyport/adapter-postgres-store';
import type { Bus } from '@sallyport/bus';
import type { Roster } from '@sallyport/trust';
import { ProjectorError, RebuildFailed } from './errors.js';
import { rebuildFromLog } from './rebuild.js';
import { isDropped } from './store-connection.js';
import type { StoreConnection } from './store-connection.js';
import { Turns } from './turns.js';

/** While another replica does it. */
const POLL_MS = 200;
/** Between the lock of another replica's rebuild and its record. */
const RECORD_TRIES = 20;
const RECORD_POLL_MS = 50;

export interface RebuildPorts {
  readonly bus: Bus;
  readonly stores: StoreConnection;
  readonly roster: Roster;
  readonly topics: readonly string[];
}

/** One rebuild at a time, over all replicas: the store has the lock, and the record of how it went. */
export class Rebuilds {
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  #own: { readonly id: string; readonly done: Promise<void> } | undefined;

  constructor(private readonly ports: RebuildPorts) {}

  /**
   * Begins one and doesn't wait for its end. The same id again is the same rebuild, also after its end; one that is under way is joined,
   * whoever does it: then the state has its id. Rejects with the code of what keeps it from beginning.
   */
  begin(id: string): Promise<RebuildState> {
    return this.#turns.take(async () => {
      if (this.#closing.signal.aborted) throw closed();
      try {
        return await this.#beginOn(await this.ports.stores.get(), id);
      } catch (error) {
        if (!isDropped(error)) throw error;
        await this.ports.stores.reset();
        return this.#beginOn(await this.ports.stores.get(), id);
      }
    });
  }

  /** Rejects with the code of what went wrong; the live model is then as it was. */
  async toEnd(id: string = randomUUID()): Promise<void> {
    const begun = await this.begin(id);
    if (this.#own?.id === begun.id) return this.#own.done;
    for (let state: RebuildState | null = begun; ;) {
      if (state === null || state.state === 'failed') throw new RebuildFailed(state?.failure ?? 'STORE_REBUILD_LOST');
      if (state.state === 'done') return undefined;
      await pause(POLL_MS, undefined, { signal: this.#closing.signal }).catch(() => Promise.reject(closed()));
      state = await (await this.ports.stores.get()).rebuildState(begun.id);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#turns.take(async () => {});
    await this.#own?.done.catch(() => {});
  }

  async #beginOn(store: Store, id: string): Promise<RebuildState> {
    const known = await store.rebuildState(id);
    if (known) return known;
    for (let tries = 1; ; tries += 1) {
      try {
        const rebuild = await store.beginRebuild(id);
        const { bus, roster, topics } = this.ports;
        const done = rebuildFromLog({ bus, roster, topics, rebuild, signal: this.#closing.signal });
        done.catch(() => {});
        this.#own = { id, done };
        return rebuild.state;
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'STORE_REBUILDING') throw error;
        const running = await store.rebuildState();
        if (running?.state === 'running') return running;
        if (tries === RECORD_TRIES) throw error;
        await pause(RECORD_POLL_MS);
      }
    }
  }
}

function closed(): ProjectorError {
  return new ProjectorError('PROJECTOR_CLOSED', 'the projector is closed');
}
