import { isUtf8 } from 'node:buffer';
import type { OutputRecorded } from '@sallyport/events';

/**
 * The rows of one operation as the agent got them, for `output.recorded`: kept up to a size, the rest is counted in
 * `operation.completed` only.
 */
export class RowRecording {
  readonly #rows: (string | null)[][] = [];
  #bytes = 0;
  #truncated = false;

  constructor(private readonly maxBytes: number) {}

  /** Body of a DataRow (Int16 count, then Int32 length and bytes for each column), masked. */
  row(body: Buffer): void {
    if (this.#truncated) return;
    if (this.#bytes + body.length > this.maxBytes) return this.cut();
    this.#bytes += body.length;
    const columns = body.readUInt16BE(0);
    const values: (string | null)[] = [];
    for (let i = 0, at = 2; i < columns; i++) {
      const length = body.readInt32BE(at);
      const value = body.subarray(at + 4, at + 4 + Math.max(length, 0));
      values.push(length < 0 ? null : shown(value));
      at += 4 + value.length;
    }
    this.#rows.push(values);
  }

  /** From here on rows are no longer kept: one was too large to be held, or all of them together. */
  cut(): void {
    this.#truncated = true;
  }

  /** Undefined when there was no row. */
  event(operation: number): OutputRecorded | undefined {
    if (this.#rows.length === 0 && !this.#truncated) return undefined;
    return { operation, stream: 'rows', chunk: 0, rows: this.#rows, truncated: this.#truncated };
  }
}

/** Text as it is; what can't be text (a binary format) as base64 behind `\b`. */
function shown(value: Buffer): string {
  return isUtf8(value) && !value.includes(0) ? value.toString('utf8') : `\\b${value.toString('base64')}`;
}
