const HASH_BYTES = 32;

/** The hashes of the last `max` events of one session, by sequence number, in one buffer that grows as needed. */
export class RecentHashes {
  #ring = Buffer.alloc(0);
  #from = 0;
  #next = 0;

  constructor(private readonly max: number) {}

  /** `hash` is lowercase hex. A sequence that doesn't follow the last one starts anew. */
  add(sequence: number, hash: string): void {
    if (sequence !== this.#next) this.#from = sequence;
    this.#next = sequence + 1;
    this.#from = Math.max(this.#from, this.#next - this.max);
    const slot = (sequence % this.max) * HASH_BYTES;
    if (slot >= this.#ring.length) this.#grow(slot + HASH_BYTES);
    this.#ring.write(hash, slot, HASH_BYTES, 'hex');
  }

  /** Undefined when it is too long ago, or was never there. */
  get(sequence: number): string | undefined {
    if (sequence < this.#from || sequence >= this.#next) return undefined;
    const slot = (sequence % this.max) * HASH_BYTES;
    return this.#ring.toString('hex', slot, slot + HASH_BYTES);
  }

  #grow(atLeast: number): void {
    const ring = Buffer.alloc(Math.min(this.max * HASH_BYTES, Math.max(atLeast, this.#ring.length * 2)));
    this.#ring.copy(ring);
    this.#ring = ring;
  }
}
