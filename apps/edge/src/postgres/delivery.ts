import type { Socket } from 'node:net';
import type { Flight } from './flight.js';

interface Piece {
  bytes: Uint8Array;
  readonly flight: Flight | undefined;
}

/**
 * Collects what one chunk from the target becomes for the agent, and writes it at once. Neighbouring bytes of the same
 * chunk and the same operation stay one piece, so that an unmasked result is forwarded without a copy.
 */
export class Delivery {
  #pieces: Piece[] = [];

  constructor(private readonly agent: Socket) {}

  pass(bytes: Uint8Array, flight: Flight | undefined): void {
    const last = this.#pieces.at(-1);
    if (
      last &&
      last.flight === flight &&
      last.bytes.buffer === bytes.buffer &&
      last.bytes.byteOffset + last.bytes.length === bytes.byteOffset
    ) {
      last.bytes = Buffer.from(bytes.buffer as ArrayBuffer, last.bytes.byteOffset, last.bytes.length + bytes.length);
    } else {
      this.#pieces.push({ bytes, flight });
    }
  }

  /** Counts what was collected into the digests, before an end is put on record. */
  settle(): void {
    for (const [i, piece] of this.#pieces.entries()) {
      if (!piece.flight) continue;
      piece.flight.delivered(piece.bytes);
      this.#pieces[i] = { bytes: piece.bytes, flight: undefined };
    }
  }

  /** False when the agent reads more slowly than the target sends: stop reading from the target until `drain`. */
  flush(): boolean {
    if (this.#pieces.length === 0) return true;
    this.settle();
    const pieces = this.#pieces;
    this.#pieces = [];
    if (this.agent.destroyed || !this.agent.writable) return true;
    if (pieces.length === 1) return this.agent.write(pieces[0]!.bytes);
    this.agent.cork();
    let more = true;
    for (const { bytes } of pieces) more = this.agent.write(bytes);
    this.agent.uncork();
    return more;
  }
}
