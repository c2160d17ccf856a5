import { openStore, StoreError } from '@sallyport/adapter-postgres-store';
import type { Store, StoreOptions } from '@sallyport/adapter-postgres-store';
import { ProjectorError } from './errors.js';

/** The store, opened when it is first needed and can be had. Whoever gets an error tries again. */
export class StoreConnection {
  #opening: Promise<Store> | undefined;
  #closed = false;

  constructor(private readonly options: StoreOptions) {}

  get(): Promise<Store> {
    if (this.#closed) return Promise.reject(new ProjectorError('PROJECTOR_CLOSED', 'the projector is closed'));
    if (this.#opening) return this.#opening;
    const opening = openStore(this.options);
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  /** The tables are gone: opens anew, and makes them, the next time that somebody asks. */
  async reset(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const store = await opening?.catch(() => undefined);
    await store?.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const store = await this.#opening?.catch(() => undefined);
    await store?.close();
  }
}

/** Undefined table, undefined schema: somebody dropped the read model, which they may. */
export function isDropped(error: unknown): boolean {
  return error instanceof StoreError && (error.reason === '42P01' || error.reason === '3F000');
}

/** True for what trying again won't mend. */
export function isWrongOption(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'STORE_OPTION';
}
