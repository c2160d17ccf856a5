import type { Socket } from 'node:net';

import { type BackendMessage, decodeBackend, FrameScanner, type UnknownMessage, WireError } from '@sallyport/wire-postgres';

import { UpstreamError } from './errors.js';

const EMPTY = Buffer.alloc(0);

export interface ConversationLimits {
  readonly maxFrameBytes: number;
  /** Everything that the target may say before it is ready. */
  readonly maxHandshakeBytes: number;
}

/**
 * Reads a socket one message at a time while somebody signs in. `release` takes every listener off again, pauses the socket and
 * gives back what was read ahead.
 *
 * Rejects with {@link UpstreamError}; `signal` must fire with one.
 */
export class Conversation {
  readonly #scanner: FrameScanner;
  #pending: Buffer = EMPTY;
  #received = 0;
  #failure: UpstreamError | null = null;
  #wake: (() => void) | null = null;

  constructor(
    readonly socket: Socket,
    private readonly limits: ConversationLimits,
    private readonly signal: AbortSignal,
  ) {
    this.#scanner = new FrameScanner(limits);
    socket.on('data', this.#onData).on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onEnd);
    signal.addEventListener('abort', this.#onAbort);
    if (signal.aborted) this.#onAbort();
    if (socket.destroyed) this.#onEnd();
    // A socket that was paused by an earlier conversation stays so until it is told.
    socket.resume();
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The answer to SSLRequest. Whatever came with it came in the clear and can't be told from an attack (CVE-2021-23222). */
  async onlyByte(): Promise<number> {
    const chunk = await this.#more();
    if (chunk.length !== 1) throw new UpstreamError('UPSTREAM_PROTOCOL', 'the target sent more than its answer to the request for TLS');
    return chunk[0]!;
  }

  async message(): Promise<BackendMessage | UnknownMessage> {
    const found: (BackendMessage | UnknownMessage)[] = [];
    try {
      for (;;) {
        const chunk = await this.#more();
        const end = this.#scanner.push(chunk, (type, bytes, start, stop) => {
          found.push(decodeBackend(type, bytes.subarray(start, stop)));
          return false;
        });
        this.#pending = chunk.subarray(end);
        if (found[0] !== undefined) return found[0];
      }
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      throw new UpstreamError('UPSTREAM_PROTOCOL', `the target doesn't speak the protocol: ${cause.message}`, { cause });
    }
  }

  /** Resolves when the target has closed its end. What it says until then is of no interest. */
  async closed(): Promise<void> {
    try {
      for (;;) await this.#more();
    } catch (error) {
      if (!(error instanceof UpstreamError && error.code === 'UPSTREAM_UNREACHABLE')) throw error;
    }
  }

  release(): Buffer {
    this.socket.pause();
    this.socket.off('data', this.#onData).off('error', this.#onError).off('end', this.#onEnd).off('close', this.#onEnd);
    this.signal.removeEventListener('abort', this.#onAbort);
    return this.#pending;
  }

  async #more(): Promise<Buffer> {
    while (this.#pending.length === 0) {
      // Only now: what came before the end still counts.
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#pending;
    this.#pending = EMPTY;
    return chunk;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received += chunk.length;
    if (this.#received > this.limits.maxHandshakeBytes) {
      const limit = this.limits.maxHandshakeBytes;
      return this.#giveUp(new UpstreamError('UPSTREAM_PROTOCOL', `the target said over ${limit} bytes before it was ready`));
    }
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#wake?.();
  };

  readonly #onError = (cause: Error): void => {
    this.#failure ??= new UpstreamError('UPSTREAM_UNREACHABLE', 'the connection to the target broke', { cause });
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#failure ??= new UpstreamError('UPSTREAM_UNREACHABLE', 'the target closed the connection');
    this.#wake?.();
  };

  readonly #onAbort = (): void => this.#giveUp(this.signal.reason as UpstreamError);

  /** Nothing that has come counts any more. */
  #giveUp(error: UpstreamError): void {
    this.#pending = EMPTY;
    this.#failure = error;
    this.socket.pause();
    this.#wake?.();
  }
}
