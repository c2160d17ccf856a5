import type { VerifierKey } from '@sallyport/events';
import { parseCheckpoint } from '../checkpoint.js';
import type { ParsedCheckpoint } from '../checkpoint.js';
import { noteSigner } from '../note.js';
import type { TreeBuilder } from '../tree/builder.js';
import type { Findings, Place } from './report.js';
import { LEDGER_KEY_PREFIX } from './sessions.js';

/** A signed note as it was found. */
export interface CheckpointItem {
  readonly note: string;
  readonly offset?: bigint;
  readonly file?: string;
}

type Claim = ParsedCheckpoint & { readonly place: Place };

/**
 * Notes of one log that are read ahead and put in order by size. Two who signed the same log for a while, because a partition moved from one to
 * the other and the first didn't hear of it, leave notes that are all true and not in order.
 */
export const CHECKPOINTS_AHEAD = 4096;

/**
 * Holds the checkpoints against the tree while it grows. As each is compared with the root over the same leaves, that one is
 * consistent with the one before needs no proof of its own.
 */
export class Checkpoints {
  readonly #keys: readonly VerifierKey[];
  #count = 0;
  #covered = -1;
  #newest = -1;
  #mismatches = 0;
  /** By size. */
  readonly #ahead: Claim[] = [];
  #ended = false;

  private constructor(
    private readonly log: string,
    private readonly notes: AsyncIterator<CheckpointItem> | Iterator<CheckpointItem>,
    private readonly tree: TreeBuilder,
    private readonly findings: Findings,
    trusted: readonly VerifierKey[],
  ) {
    this.#keys = trusted.filter((key) => key.name.startsWith(LEDGER_KEY_PREFIX));
  }

  /** Reads ahead. */
  static async over(
    log: string,
    notes: AsyncIterable<CheckpointItem> | Iterable<CheckpointItem>,
    tree: TreeBuilder,
    findings: Findings,
    trusted: readonly VerifierKey[],
  ): Promise<Checkpoints> {
    const iterator = Symbol.asyncIterator in notes ? notes[Symbol.asyncIterator]() : notes[Symbol.iterator]();
    const checkpoints = new Checkpoints(log, iterator, tree, findings, trusted);
    await checkpoints.#fill();
    return checkpoints;
  }

  get count(): number {
    return this.#count;
  }

  /** Events covered by the newest checkpoint that fits the log, -1 without one. */
  get covered(): number {
    return this.#covered;
  }

  /** Size of the largest one with a good signature, -1 without one. */
  get newest(): number {
    return this.#newest;
  }

  /** True when the tree has grown to the size of the next checkpoint: then call {@link compare}. */
  get due(): boolean {
    const [next] = this.#ahead;
    return next !== undefined && next.size <= this.tree.size;
  }

  async compare(): Promise<void> {
    while (this.due) {
      const claim = this.#ahead.shift()!;
      if (claim.size < this.tree.size) {
        this.findings.broken('CHECKPOINT_ORDER', claim.place, `a checkpoint of ${claim.size} events stands far behind a larger one`);
      } else if (claim.root.equals(this.tree.root())) {
        this.#covered = claim.size;
      } else {
        this.#mismatch(claim);
      }
      await this.#fill();
    }
  }

  /** When the log has ended: whatever is left claims more than there is. */
  async finish(): Promise<void> {
    let largest: Claim | undefined;
    for (; this.#ahead.length > 0; await this.#fill()) {
      for (const claim of this.#ahead.splice(0)) if (claim.size > (largest?.size ?? -1)) largest = claim;
    }
    if (largest) {
      const missing = largest.size - this.tree.size;
      this.findings.missing(
        'LOG_TRUNCATED',
        largest.place,
        `a signed checkpoint covers ${largest.size} events and the log ends after ${this.tree.size}: the last ${missing} of them are gone`,
      );
    }
    if (this.#mismatches > 1) {
      this.findings.broken('ROOT_MISMATCH', {}, `${this.#mismatches - 1} more checkpoints after that one do not fit the log`);
    }
  }

  /** A claim from outside, as `read` gives it. Undefined, and a problem, when it can't be believed. */
  read(item: CheckpointItem): Claim | undefined {
    const place: Place = {
      ...(item.offset === undefined ? {} : { offset: Number(item.offset) }),
      ...(item.file === undefined ? {} : { file: item.file }),
    };
    let parsed: ParsedCheckpoint;
    try {
      parsed = parseCheckpoint(item.note);
    } catch (error) {
      this.findings.broken('CHECKPOINT_MALFORMED', place, (error as Error).message);
      return undefined;
    }
    if (!noteSigner(parsed.signed, this.#keys)) {
      this.findings.broken('CHECKPOINT_SIGNATURE', place, `a checkpoint of ${parsed.size} events is not signed by a trusted ledger key`);
      return undefined;
    }
    return { ...parsed, place };
  }

  #mismatch(claim: Claim): void {
    this.#mismatches += 1;
    if (this.#mismatches > 1) return;
    const from = Math.max(this.#covered, 0);
    this.findings.broken(
      'ROOT_MISMATCH',
      claim.place,
      `the log is not what was signed at ${claim.size} events: one of its events ${from} to ${claim.size - 1} was changed, removed, added or moved`,
    );
  }

  async #fill(): Promise<void> {
    while (!this.#ended && this.#ahead.length < CHECKPOINTS_AHEAD) {
      const next = await this.notes.next();
      if (next.done) {
        this.#ended = true;
        return;
      }
      const claim = this.read(next.value);
      if (claim?.log !== this.log) continue;
      this.#count += 1;
      this.#newest = Math.max(this.#newest, claim.size);
      this.#insert(claim);
    }
  }

  /** Nearly always at the end. */
  #insert(claim: Claim): void {
    let at = this.#ahead.length;
    while (at > 0 && this.#ahead[at - 1]!.size > claim.size) at -= 1;
    this.#ahead.splice(at, 0, claim);
  }
}
