import { createHash, type Hash } from 'node:crypto';
import type { OperationCompleted } from '@sallyport/events';
import {
  type AllowedPlan,
  type MaskPlan,
  planAt,
  type RowMasker,
  rowMasker,
  type ResultField,
  type StringPlan,
  type ValueSettings,
} from '@sallyport/masking';
import type { Refusal, Running } from '@sallyport/session';
import type { RowRecording } from './row-recording.js';

export interface FlightPlan {
  readonly plans: StringPlan;
  /** The agent's own text: an error may quote it. */
  readonly text: string;
  /** A refused operation flies too: its error has to come in its turn. */
  readonly refusal?: Refusal | undefined;
  readonly rowLimit?: number | undefined;
  /** Where rows are kept when the resource is recorded in full. */
  readonly recording?: RowRecording | undefined;
}

/** One operation between its intent and its end: what came back for it so far. */
export class Flight {
  rows = 0;
  bytes = 0;
  error: { code: string; message?: string } | undefined;
  /** Set once its end is on record. */
  done = false;
  /** Execute messages that still have an answer to come: one portal may be executed several times ahead. */
  awaited = 1;
  /** Nothing more will be asked of it: it ends with the answer that is under way. */
  abandoned = false;
  #masker: RowMasker | undefined;
  readonly #masked = new Map<string, number>();
  #statement = 0;
  readonly #tags: string[] = [];
  #digest: Hash | undefined;

  readonly text: string;
  readonly refusal: Refusal | undefined;
  readonly rowLimit: number | undefined;
  readonly recording: RowRecording | undefined;
  private readonly plans: StringPlan;

  /** `running` is absent when not even the refusal could be put on record. */
  constructor(
    readonly running: Running | undefined,
    { plans, text, refusal, rowLimit, recording }: FlightPlan,
  ) {
    this.plans = plans;
    this.text = text;
    this.refusal = refusal;
    this.rowLimit = rowLimit;
    this.recording = recording;
  }

  /** The plan of the statement whose answer is coming in. */
  get plan(): MaskPlan {
    return planAt(this.plans, this.#statement);
  }

  /** Whether rows may only pass once the target has said what their columns are. */
  get needsDescription(): boolean {
    return this.plan.kind !== 'refuse' && this.plan.columns.size > 0;
  }

  get masker(): RowMasker | undefined {
    return this.#masker;
  }

  /** The target has said what the rows to come are made of. @throws MaskingError when that isn't what was judged */
  described(fields: readonly ResultField[], settings: ValueSettings): void {
    this.#settleMasker();
    const { plan } = this;
    this.#masker = plan.kind === 'refuse' ? undefined : rowMasker(plan satisfies AllowedPlan, fields, settings);
  }

  /** One statement of a string is done; the next answer belongs to the one after it. */
  nextStatement(): void {
    this.#settleMasker();
    this.#statement++;
  }

  #settleMasker(): void {
    for (const [column, count] of Object.entries(this.#masker?.counts() ?? {}))
      this.#masked.set(column, (this.#masked.get(column) ?? 0) + count);
    this.#masker = undefined;
  }

  tagged(tag: string): void {
    if (this.#tags.length < MAX_TAGS) this.#tags.push(tag);
  }

  /** Bytes as the agent gets them. */
  delivered(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    (this.#digest ??= createHash('sha256')).update(bytes);
  }

  end(outcome: OperationCompleted['outcome']): Omit<OperationCompleted, 'operation' | 'durationMicros'> {
    this.#settleMasker();
    return {
      outcome,
      tag: this.#tags.join('; '),
      rows: this.rows,
      bytes: this.bytes,
      ...(this.error ? { error: this.error } : {}),
      digest: this.#digest ? this.#digest.digest('hex') : EMPTY_DIGEST,
      masked: Object.fromEntries(this.#masked),
    };
  }
}

/** Of a string with thousands of statements the first ones are kept. */
const MAX_TAGS = 64;
const EMPTY_DIGEST = createHash('sha256').digest('hex');
