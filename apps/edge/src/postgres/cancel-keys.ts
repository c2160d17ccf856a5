import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { BackendKeyData, CancelRequest } from '@sallyport/wire-postgres';

interface Held {
  readonly key: BackendKeyData;
  cancel(): Promise<void>;
}

/**
 * The edge's own cancel keys: the target's secret stays here, and a key of one edge session cancels that session only. The process
 * id is the target's own, so that it is the one of `pg_backend_pid()` and of notifications; two targets may use the same.
 */
export class CancelKeys {
  readonly #byProcess = new Map<number, readonly Held[]>();

  /** Protocol 3.0 has keys of four bytes, 3.2 longer ones. */
  issue(minor: number, processId: number, cancel: () => Promise<void>): BackendKeyData {
    const key: BackendKeyData = { kind: 'backendKeyData', processId, secret: randomBytes(minor >= 2 ? 32 : 4) };
    this.#byProcess.set(processId, [...this.#of(processId), { key, cancel }]);
    return key;
  }

  revoke(key: BackendKeyData): void {
    const rest = this.#of(key.processId).filter((held) => held.key !== key);
    if (rest.length === 0) this.#byProcess.delete(key.processId);
    else this.#byProcess.set(key.processId, rest);
  }

  /** Resolves when the request has been passed on. Does nothing for a key that isn't right, as a server does. */
  async cancel({ processId, secret }: CancelRequest): Promise<void> {
    const held = this.#of(processId).filter(({ key }) => key.secret.length === secret.length && timingSafeEqual(key.secret, secret));
    await Promise.all(held.map((one) => one.cancel()));
  }

  #of(processId: number): readonly Held[] {
    return this.#byProcess.get(processId) ?? [];
  }
}
