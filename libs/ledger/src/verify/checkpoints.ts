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
 * Holds the checkpoints against the tree while it grows. As each is compared with the root over the same leaves, that one is
 * consistent with the one before needs no proof of its own.
 */
export class Checkpoints {
  readonly #keys: readonly VerifierKey[];
  #count = 0;
  #covered = -1;
  #newest = -1;
  #mismatches = 0;
  #pending: Claim | undefined;

  private constructor(
    private readonly log: string,
    private readonly notes: AsyncIterator<CheckpointItem> | Iterator<CheckpointItem>,
    private readonly tree: TreeBuilder,
    private readonly findings: Findings,
    trusted: readonly VerifierKey[],
  ) {
    this.#keys = trusted.filter((key) => key.name.startsWith(LEDGER_KEY_PREFIX));
  }

  /** Reads ahead by one note. */
  static async over(
    log: string,
    notes: AsyncIterable<CheckpointItem> | Iterable<CheckpointItem>,
    tree: TreeBuilder,
    findings: Findings,
    trusted: readonly VerifierKey[],
  ): Promise<Checkpoints> {
    const iterator = Symbol.asyncIterator in notes ? notes[Symbol.asyncIterator]() : notes[Symbol.iterator]();
    const checkpoints = new Checkpoints(log, iterator, tree, findings, trusted);
    await checkpoints.#advance();
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
    return this.#pending !== undefined && this.#pending.size <= this.tree.size;
  }

  async compare(): Promise<void> {
    while (this.#pending !== undefined && this.#pending.size <= this.tree.size) {
      const claim = this.#pending;
      if (claim.size < this.tree.size) {
        this.findings.broken('CHECKPOINT_ORDER', claim.place, `a checkpoint of ${claim.size} events stands behind a larger one`);
      } else if (claim.root.equals(this.tree.root())) {
        this.#covered = claim.size;
      } else {
        this.#mismatch(claim);
      }
      await this.#advance();
    }
  }

  /** When the log has ended: whatever is left claims more than there is. */
  async finish(): Promise<void> {
    let largest: Claim | undefined;
    for (; this.#pending; await this.#advance()) if (this.#pending.size > (largest?.size ?? -1)) largest = this.#pending;
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

  async #advance(): Promise<void> {
    this.#pending = undefined;
    for (;;) {
      const next = await this.notes.next();
      if (next.done) return;
      const claim = this.read(next.value);
      if (claim?.log !== this.log) continue;
      this.#count += 1;
      this.#newest = Math.max(this.#newest, claim.size);
      this.#pending = claim;
      return;
    }
  }
}
