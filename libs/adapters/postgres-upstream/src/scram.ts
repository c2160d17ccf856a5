import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import sasl from 'pg/lib/crypto/sasl.js';

import { UpstreamError } from './errors.js';

/** What a target may cost us in hashing. PostgreSQL's default is 4096. */
export const MAX_SCRAM_ITERATIONS = 100_000;

export interface ScramFirst {
  readonly mechanism: string;
  readonly data: Buffer;
}

/**
 * One SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), bound to the TLS channel (`-PLUS`, RFC 5929 `tls-server-end-point`) where
 * there is one and the target offers it. Inside TLS a target that doesn't is told that we could have, so that it notices when
 * its offer was cut on the way.
 *
 * Throws {@link UpstreamError} `UPSTREAM_AUTH`.
 */
export class Scram {
  readonly first: ScramFirst;
  readonly #session;
  readonly #channel: TLSSocket | undefined;
  #verified = false;

  constructor(
    mechanisms: readonly string[],
    socket: Socket,
    private readonly password: string,
  ) {
    this.#channel = socket instanceof TLSSocket ? socket : undefined;
    this.#session = attempt(() => sasl.startSession(mechanisms, this.#channel, MAX_SCRAM_ITERATIONS));
    this.first = { mechanism: this.#session.mechanism, data: Buffer.from(this.#session.response) };
  }

  /** The target has shown that it knows the password too. */
  get verified(): boolean {
    return this.#verified;
  }

  async answer(serverFirst: Buffer): Promise<Buffer> {
    try {
      await sasl.continueSession(this.#session, this.password, serverFirst.toString(), this.#channel);
    } catch (cause) {
      throw failed(cause);
    }
    return Buffer.from(this.#session.response);
  }

  finish(serverFinal: Buffer): void {
    attempt(() => sasl.finalizeSession(this.#session, serverFinal.toString()));
    this.#verified = true;
  }
}

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw failed(cause);
  }
}

function failed(cause: unknown): UpstreamError {
  return new UpstreamError('UPSTREAM_AUTH', `SCRAM with the target failed: ${cause instanceof Error ? cause.message : 'unknown'}`, {
    cause,
  });
}
