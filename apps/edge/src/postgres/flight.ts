import { createHash, type Hash } from 'node:crypto';
import type { OperationCompleted } from '@sallyport/events';
import type { MaskPlan, RowMasker } from '@sallyport/masking';
import type { Refusal, Running } from '@sallyport/session';

/** One operation between its intent and its end: what came back for it so far. */
export class Flight {
  rows = 0;
  bytes = 0;
  masker: RowMasker | undefined;
  error: { code: string; message?: string } | undefined;
  /** Set once its end is on record. */
  done = false;
  readonly #tags: string[] = [];
  #digest: Hash | undefined;

  constructor(
    /** Absent when not even the refusal could be put on record. */
    readonly running: Running | undefined,
    readonly plan: MaskPlan,
    /** A refused operation flies too: its error has to come in its turn. */
    readonly refusal: Refusal | undefined,
    readonly rowLimit: number | undefined,
  ) {}

  tagged(tag: string): void {
    if (this.#tags.length < MAX_TAGS) this.#tags.push(tag);
  }

  /** Bytes as the agent gets them. */
  delivered(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    (this.#digest ??= createHash('sha256')).update(bytes);
  }

  end(
    outcome: OperationCompleted['outcome'],
    masked: Readonly<Record<string, number>>,
  ): Omit<OperationCompleted, 'operation' | 'durationMicros'> {
    return {
      outcome,
      tag: this.#tags.join('; '),
      rows: this.rows,
      bytes: this.bytes,
      ...(this.error ? { error: this.error } : {}),
      digest: this.#digest ? this.#digest.digest('hex') : EMPTY_DIGEST,
      masked,
    };
  }
}

/** Of a string with thousands of statements the first ones are kept. */
const MAX_TAGS = 64;
const EMPTY_DIGEST = createHash('sha256').digest('hex');
