/** Ids that fit into the window behind the highest one; older ones are refused unseen (as RFC 4303 section 3.4.3 does for packets). */
export const REPLAY_WINDOW_SIZE = 4096;
/** Senders that are remembered; who has been silent longest is forgotten first. */
export const REPLAY_SENDERS_MAX = 10_000;

interface Window {
  highest: number;
  /** A bit for each id, by its remainder. */
  readonly bits: Uint32Array;
}

/**
 * Tells a message that comes again from one that is new, in constant memory for each sender. A sender numbers its messages from 0, and
 * takes a name that was never used before whenever it starts.
 */
export class ReplayWindow {
  readonly #senders = new Map<string, Window>();

  /** True the first time that this sender's message comes. False for a copy, and for one so late that nobody could tell. */
  first(sender: string, id: number): boolean {
    if (!Number.isSafeInteger(id) || id < 0) return false;
    const window = this.#windowOf(sender);
    if (id > window.highest) {
      const from = Math.max(window.highest + 1, id - REPLAY_WINDOW_SIZE + 1);
      for (let skipped = from; skipped <= id; skipped++) clear(window, skipped);
      window.highest = id;
    } else if (id <= window.highest - REPLAY_WINDOW_SIZE || isSet(window, id)) {
      return false;
    }
    set(window, id);
    return true;
  }

  #windowOf(sender: string): Window {
    const known = this.#senders.get(sender);
    if (known) this.#senders.delete(sender);
    const window = known ?? { highest: -1, bits: new Uint32Array(REPLAY_WINDOW_SIZE / 32) };
    this.#senders.set(sender, window);
    if (this.#senders.size > REPLAY_SENDERS_MAX)
      for (const oldest of this.#senders.keys()) return (void this.#senders.delete(oldest), window);
    return window;
  }
}

const place = (id: number): readonly [number, number] => {
  const slot = id % REPLAY_WINDOW_SIZE;
  return [slot >>> 5, 1 << (slot & 31)];
};

function isSet({ bits }: Window, id: number): boolean {
  const [word, bit] = place(id);
  return ((bits[word] ?? 0) & bit) !== 0;
}

function set({ bits }: Window, id: number): void {
  const [word, bit] = place(id);
  bits[word] = (bits[word] ?? 0) | bit;
}

function clear({ bits }: Window, id: number): void {
  const [word, bit] = place(id);
  bits[word] = (bits[word] ?? 0) & ~bit;
}
