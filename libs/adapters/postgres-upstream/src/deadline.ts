import { UpstreamError } from './errors.js';

/** The time limit and the caller's signal, as one thing that ends everything under way. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new UpstreamError('UPSTREAM_TIMEOUT', `the target took over ${timeoutMs} ms`));
    }, timeoutMs);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  /** Its reason is always an {@link UpstreamError}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#controller.abort(new UpstreamError('UPSTREAM_ABORTED', 'connecting to the target was given up', { cause: this.#signal?.reason }));
  };
}
