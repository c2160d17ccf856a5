import { BusError, type BusErrorCode, type BusRecord, type OutgoingRecord, type StartAt } from '@sallyport/bus';

/** A record without its bytes, which travel together in one buffer. */
interface Slip {
  readonly bytes: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

interface RecordSlip extends Slip {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
}

interface OutgoingSlip extends Slip {
  readonly partition: number | undefined;
  readonly timestampMs: number | undefined;
}

/** Records as they cross a port: `bytes` is handed over, not copied. */
export interface Packed<S> {
  readonly slips: readonly S[];
  readonly bytes: ArrayBuffer;
}

export interface WireError {
  readonly code: string | undefined;
  readonly message: string;
}

/** Where to start; `stored` is asked for with `locate`. */
export type WireStart = Exclude<StartAt, { readonly at: 'stored' }> | { readonly at: 'stored' };

export interface WireConsume {
  readonly topic: string;
  readonly group: string | undefined;
  readonly start: WireStart;
  readonly partitions: readonly number[] | undefined;
  readonly maxBatchRecords: number | undefined;
}

/** What the worker's side sends. `id` comes back with the result; a consumption is named by the id of the call that made it. */
export type ToOwner =
  | { readonly type: 'produce'; readonly id: number; readonly topic: string; readonly records: Packed<OutgoingSlip> }
  | {
      readonly type: 'read';
      readonly id: number;
      readonly topic: string;
      readonly partition: number;
      readonly offset: bigint;
      readonly maxRecords: number;
    }
  | { readonly type: 'ends'; readonly id: number; readonly topic: string }
  | { readonly type: 'consume'; readonly id: number; readonly options: WireConsume }
  | { readonly type: 'stop'; readonly id: number; readonly consumption: number }
  | { readonly type: 'commit'; readonly id: number; readonly batch: number }
  | { readonly type: 'commitSoon'; readonly batch: number }
  | { readonly type: 'located'; readonly question: number; readonly offset?: bigint; readonly error?: WireError }
  | { readonly type: 'handled'; readonly batch: number; readonly error: WireError | undefined };

export type ToWorker =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'records'; readonly id: number; readonly topic: string; readonly records: Packed<RecordSlip> }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
  | {
      readonly type: 'batch';
      readonly consumption: number;
      readonly batch: number;
      readonly topic: string;
      readonly records: Packed<RecordSlip>;
    }
  | { readonly type: 'locate'; readonly consumption: number; readonly question: number; readonly partition: number }
  | { readonly type: 'trouble'; readonly consumption: number; readonly error: WireError };

/** One copy, into a buffer of its own: a value may be a view into something large, which a structured clone would take along whole. */
function packBytes(values: readonly Uint8Array[]): ArrayBuffer {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length, 0));
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
  }
  return bytes.buffer;
}

export function packRecords(records: readonly BusRecord[]): Packed<RecordSlip> {
  const slips = records.map(({ partition, offset, timestampMs, key, headers, value }) => ({
    partition,
    offset,
    timestampMs,
    key,
    headers,
    bytes: value.length,
  }));
  return { slips, bytes: packBytes(records.map((record) => record.value)) };
}

export function unpackRecords(topic: string, { slips, bytes }: Packed<RecordSlip>): BusRecord[] {
  let at = 0;
  return slips.map(({ bytes: length, ...slip }) => {
    at += length;
    return { topic, ...slip, value: Buffer.from(bytes, at - length, length) };
  });
}

export function packOutgoing(records: readonly OutgoingRecord[]): Packed<OutgoingSlip> {
  const slips = records.map(({ key, value, headers = {}, timestampMs, partition }) => ({
    key,
    headers,
    timestampMs,
    partition,
    bytes: value.length,
  }));
  return { slips, bytes: packBytes(records.map((record) => record.value)) };
}

export function unpackOutgoing({ slips, bytes }: Packed<OutgoingSlip>): OutgoingRecord[] {
  let at = 0;
  return slips.map(({ bytes: length, key, headers, timestampMs, partition }) => {
    at += length;
    const value = Buffer.from(bytes, at - length, length);
    return {
      key,
      headers,
      value,
      ...(timestampMs === undefined ? {} : { timestampMs }),
      ...(partition === undefined ? {} : { partition }),
    };
  });
}

export function toWireError(error: unknown): WireError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : undefined, message: typeof message === 'string' ? message : String(error) };
}

export function fromWireError({ code, message }: WireError): BusError {
  return new BusError((code ?? 'BUS_FAILED') as BusErrorCode, message);
}
