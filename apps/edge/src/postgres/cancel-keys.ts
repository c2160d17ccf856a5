import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { BackendKeyData, CancelRequest } from '@sallyport/wire-postgres';

/** The edge's own cancel keys: the target's key stays here, and a key of one edge session cancels that session only. */
export class CancelKeys {
  readonly #sessions = new Map<number, { readonly secret: Buffer; cancel(): void }>();

  /** Protocol 3.0 has keys of four bytes, 3.2 longer ones. */
  issue(minor: number, cancel: () => void): BackendKeyData {
    let processId: number;
    do processId = randomInt(1, 2 ** 31 - 1);
    while (this.#sessions.has(processId));
    const secret = randomBytes(minor >= 2 ? 32 : 4);
    this.#sessions.set(processId, { secret, cancel });
    return { kind: 'backendKeyData', processId, secret };
  }

  revoke(processId: number): void {
    this.#sessions.delete(processId);
  }

  /** Does nothing for a key that isn't right, as a server does. */
  cancel(request: CancelRequest): void {
    const session = this.#sessions.get(request.processId);
    if (session && session.secret.length === request.secret.length && timingSafeEqual(session.secret, request.secret)) session.cancel();
  }
}
