import type { SessionEvent } from '@sallyport/events';
import type { Rule } from '@sallyport/verdict';
import { instant } from './values.js';

/** One operation of a session: what was asked, what was said to it, what became of it. */
export interface OperationRow {
  readonly session: string;
  /** From 1 within the session. */
  readonly operation: number;
  readonly class: string;
  /** Masked. */
  readonly text: string;
  readonly fingerprint: string;
  readonly hash: string;
  readonly decision: 'allow' | 'deny' | 'hold' | null;
  readonly rules: readonly Rule[];
  readonly reasons: readonly string[];
  readonly revision: string;
  readonly submitted: string | null;
  readonly completed: string | null;
  /** Null while it runs; `lost` when its session was aborted under it. */
  readonly outcome: 'ok' | 'error' | 'refused' | 'cancelled' | 'lost' | null;
  readonly tag: string;
  readonly rows: number;
  readonly bytes: number;
  readonly durationMicros: number | null;
  readonly errorCode: string | null;
  /** Masked column → number of values masked. */
  readonly masked: Readonly<Record<string, number>>;
}

/** One event of its session further; undefined when there is nothing to show. */
export function evolveOperation(
  row: OperationRow | undefined,
  event: SessionEvent,
  place: Pick<OperationRow, 'session' | 'operation'>,
): OperationRow | undefined {
  switch (event.type) {
    case 'operation.submitted': {
      const { class: operationClass, text, facts, hash, verdict } = event.data;
      if (row?.submitted != null) return row;
      return {
        ...(row ?? blank(place)),
        class: operationClass,
        text,
        fingerprint: facts.fingerprint,
        hash,
        decision: verdict.decision,
        rules: ruleRows(verdict.rules),
        reasons: verdict.reasons,
        revision: verdict.revision,
        submitted: instant(event.time),
      };
    }
    case 'operation.completed': {
      const { outcome, tag, rows, bytes, durationMicros, error, masked } = event.data;
      if (row?.completed != null) return row;
      const completed = instant(event.time);
      return { ...(row ?? blank(place)), completed, outcome, tag, rows, bytes, durationMicros, errorCode: error?.code ?? null, masked };
    }
    case 'session.aborted':
      return row && row.outcome === null ? { ...row, outcome: 'lost' } : row;
    default:
      return row;
  }
}

export function ruleRows(rules: readonly Rule[]): readonly Rule[] {
  return rules.map(({ path, title }) => ({ path, title }));
}

function blank(place: Pick<OperationRow, 'session' | 'operation'>): OperationRow {
  return {
    ...place,
    class: '',
    text: '',
    fingerprint: '',
    hash: '',
    decision: null,
    rules: [],
    reasons: [],
    revision: '',
    submitted: null,
    completed: null,
    outcome: null,
    tag: '',
    rows: 0,
    bytes: 0,
    durationMicros: null,
    errorCode: null,
    masked: {},
  };
}
