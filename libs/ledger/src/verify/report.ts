/** What can be wrong. The first part is about what is there (integrity), the second about what is not (completeness). */
export type IntegrityCode =
  | 'FRAME_CORRUPT'
  | 'EVENT_MALFORMED'
  | 'EVENT_MISPLACED'
  | 'SESSION_NOT_OPENED'
  | 'SESSION_OPENED_TWICE'
  | 'SEQUENCE_GAP'
  | 'PREV_MISMATCH'
  | 'EVENT_AFTER_CLOSING'
  | 'DUPLICATE_DIFFERS'
  | 'DUPLICATE_UNPROVEN'
  | 'CLOSING_COUNT'
  | 'CLOSING_HEAD'
  | 'CLOSING_KEY_UNKNOWN'
  | 'CLOSING_SIGNATURE'
  | 'CHECKPOINT_MALFORMED'
  | 'CHECKPOINT_SIGNATURE'
  | 'CHECKPOINT_ORDER'
  | 'ROOT_MISMATCH'
  | 'INCLUSION_MALFORMED'
  | 'INCLUSION_MISMATCH';

export type CompletenessCode =
  | 'LOG_START_MISSING'
  | 'LOG_TRUNCATED'
  | 'CHECKPOINT_MISSING'
  | 'CHECKPOINTS_TRUNCATED'
  | 'OPERATION_UNFINISHED'
  | 'OPERATION_NOT_SUBMITTED'
  | 'CHUNKS_UNFINISHED';

/** Where it is, as far as known. */
export interface Place {
  readonly offset?: number;
  readonly event?: string;
  readonly session?: string;
  readonly file?: string;
}

export interface Problem<Code extends string = IntegrityCode | CompletenessCode> {
  readonly code: Code;
  readonly place: Place;
  /** One sentence for people. Never quotes an event's data. */
  readonly message: string;
}

export interface Verdict<Code extends string> {
  readonly ok: boolean;
  /** The first of them, up to `problemsMax`. */
  readonly problems: readonly Problem<Code>[];
  /** All of them. */
  readonly count: number;
}

/** `given`: handed in from outside. `directory`: found beside the log itself, where who changed the log could have changed them too. */
export type KeyOrigin = 'given' | 'directory';

export interface VerifyReport {
  /** The log's name. */
  readonly log: string;
  readonly integrity: Verdict<IntegrityCode>;
  readonly completeness: Verdict<CompletenessCode>;
  readonly sessions: {
    readonly opened: number;
    readonly closed: number;
    readonly aborted: number;
    /** Ids of those without an end: live ones, if the copy was made while they were. */
    readonly open: readonly string[];
  };
  readonly events: number;
  /** Events that are there a second time with equal bytes: a writer that wasn't told it had succeeded. Not a problem. */
  readonly redelivered: number;
  readonly checkpoints: {
    /** Those with a good signature. */
    readonly count: number;
    /** Events that the newest one which fits the log covers; -1 without one. */
    readonly covered: number;
  };
  /** Of the events as they are. Root in base64. */
  readonly head: { readonly size: number; readonly root: string };
  /** Events after the newest checkpoint: only their session's chain speaks for them. */
  readonly uncovered: number;
  readonly keys: 'given' | 'from the directory itself';
  /** What who reads the verdict has to know beside it, one sentence each. */
  readonly notes: readonly string[];
}

export const PROBLEMS_MAX = 1000;

/** Collects problems, keeps the first `max` of each kind and counts all. */
export class Findings {
  readonly #integrity: Problem<IntegrityCode>[] = [];
  readonly #completeness: Problem<CompletenessCode>[] = [];
  #integrityCount = 0;
  #completenessCount = 0;

  constructor(private readonly max: number = PROBLEMS_MAX) {}

  broken(code: IntegrityCode, place: Place, message: string): void {
    this.#integrityCount += 1;
    if (this.#integrity.length < this.max) this.#integrity.push({ code, place, message });
  }

  missing(code: CompletenessCode, place: Place, message: string): void {
    this.#completenessCount += 1;
    if (this.#completeness.length < this.max) this.#completeness.push({ code, place, message });
  }

  verdicts(): Pick<VerifyReport, 'integrity' | 'completeness'> {
    return {
      integrity: { ok: this.#integrityCount === 0, problems: this.#integrity, count: this.#integrityCount },
      completeness: { ok: this.#completenessCount === 0, problems: this.#completeness, count: this.#completenessCount },
    };
  }
}

/** The notes that follow from where the keys came from and from what no checkpoint covers. */
export function standingNotes(keys: KeyOrigin, uncovered: number, open: number): readonly string[] {
  return [
    ...(keys === 'directory'
      ? [
          'The keys came from the directory itself: who could change the log could have changed them too. Give keys from elsewhere to be sure.',
        ]
      : []),
    ...(uncovered > 0
      ? [
          `${uncovered} ${uncovered === 1 ? 'event is' : 'events are'} newer than the newest checkpoint: a change to the last of a session or a cut there would not be seen.`,
        ]
      : []),
    ...(open > 0 ? [`${open} ${open === 1 ? 'session has' : 'sessions have'} no end yet.`] : []),
  ];
}
