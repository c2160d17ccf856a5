import type { Envelope } from '@sallyport/events';
import type { Findings, Place } from './report.js';

/**
 * That what was asked also ended: each operation that may have run has its completion. One that policy denied, or that nobody
 * approved, ran nothing and needs none.
 */
export class Operations {
  readonly #unfinished = new Set<number>();
  #last = 0;

  constructor(private readonly findings: Findings) {}

  event(event: Envelope, place: Place): void {
    const data = event.data as { operation?: unknown; verdict?: { decision?: unknown } | null; outcome?: unknown } | null;
    const operation = data?.operation;
    if (typeof operation !== 'number') return;
    if (event.type === 'operation.submitted') {
      this.#last = Math.max(this.#last, operation);
      if (data?.verdict?.decision !== 'deny') this.#unfinished.add(operation);
    } else if (event.type === 'approval.applied' && data?.outcome !== 'granted') {
      this.#unfinished.delete(operation);
    } else if (event.type === 'operation.completed') {
      if (operation > this.#last)
        this.findings.missing('OPERATION_NOT_SUBMITTED', place, `operation ${operation} ended and was never submitted`);
      this.#unfinished.delete(operation);
    }
  }

  closed(place: Place): void {
    for (const operation of this.#unfinished) {
      this.findings.missing(
        'OPERATION_UNFINISHED',
        place,
        `operation ${operation} was submitted and has no completion, and the session closed as if all was well`,
      );
    }
  }
}
