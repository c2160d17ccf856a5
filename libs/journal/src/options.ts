import { JournalError } from './journal-error.js';

export interface JournalLimits {
  /** Of all records that are not forgotten, frames included. The disk holds at most two segments more. */
  readonly maxBytes: number;
  /** Of one record: key, headers, value and frame. */
  readonly maxRecordBytes: number;
  /** A segment that would grow past it is closed and the next begun. */
  readonly segmentBytes: number;
  /** How much of a segment is filled with zeros before it is used. At most `segmentBytes`, which is the default. */
  readonly preallocateBytes: number;
  /** Of the oldest record that is not forgotten. */
  readonly maxAgeMs: number;
  /** The last part of `maxBytes` is kept for appends that say `useReserve`. */
  readonly reserveBytes: number;
  /** Appended and not yet written: memory. */
  readonly maxPendingBytes: number;
  /** `written` and `synced` promises that are open. */
  readonly maxWaits: number;
}

export const JOURNAL_LIMITS: JournalLimits = {
  maxBytes: 2 ** 30,
  maxRecordBytes: 16 * 2 ** 20,
  segmentBytes: 16 * 2 ** 20,
  preallocateBytes: 16 * 2 ** 20,
  maxAgeMs: 24 * 60 * 60 * 1000,
  reserveBytes: 4 * 2 ** 20,
  maxPendingBytes: 64 * 2 ** 20,
  maxWaits: 100_000,
};

export interface JournalOptions extends Partial<JournalLimits> {
  readonly directory: string;
  /**
   * The owner's state, kept at the start of each segment and given back by `recovered`. Called inside `append`, before the new
   * records are taken: it must cover what was appended before and not what is being appended. At most `maxRecordBytes`.
   */
  segmentHead?(): Uint8Array;
  /** `tail` checks only the last segment on opening (what is read is always checked); `all`, the default, every one. */
  readonly scan?: 'all' | 'tail';
  /** How long records that were appended with `gather` may wait for the next write. */
  readonly gatherMs?: number;
  /**
   * Gives the offsets of lost records again, so that the log has no gap: for an owner that asks for durability with every append and
   * never again later. Default false: a lost offset stays lost.
   */
  readonly denseOffsets?: boolean;
  /** How long records that nobody wants synced may stay unsynced. */
  readonly syncIntervalMs?: number;
  /** Between attempts to write again after a failure. */
  readonly retryPauseMs?: number;
  readonly now?: () => number;
}

export interface JournalSettings extends JournalLimits {
  readonly directory: string;
  readonly segmentHead: () => Uint8Array;
  readonly scan: 'all' | 'tail';
  readonly denseOffsets: boolean;
  readonly gatherMs: number;
  readonly syncIntervalMs: number;
  readonly retryPauseMs: number;
  readonly now: () => number;
}

const EMPTY = new Uint8Array(0);

/** Fills in the defaults. Throws `JOURNAL_OPTION`. */
export function settle(options: JournalOptions): JournalSettings {
  const maxBytes = options.maxBytes ?? JOURNAL_LIMITS.maxBytes;
  const segmentBytes = options.segmentBytes ?? JOURNAL_LIMITS.segmentBytes;
  const settings: JournalSettings = {
    directory: options.directory,
    maxBytes,
    segmentBytes,
    maxRecordBytes: options.maxRecordBytes ?? JOURNAL_LIMITS.maxRecordBytes,
    preallocateBytes: options.preallocateBytes ?? segmentBytes,
    maxAgeMs: options.maxAgeMs ?? JOURNAL_LIMITS.maxAgeMs,
    reserveBytes: options.reserveBytes ?? Math.min(JOURNAL_LIMITS.reserveBytes, Math.floor(maxBytes / 8)),
    maxPendingBytes: options.maxPendingBytes ?? JOURNAL_LIMITS.maxPendingBytes,
    maxWaits: options.maxWaits ?? JOURNAL_LIMITS.maxWaits,
    segmentHead: options.segmentHead ? () => options.segmentHead!() : () => EMPTY,
    scan: options.scan ?? 'all',
    denseOffsets: options.denseOffsets ?? false,
    gatherMs: options.gatherMs ?? 5,
    syncIntervalMs: options.syncIntervalMs ?? 1000,
    retryPauseMs: options.retryPauseMs ?? 500,
    now: options.now ?? Date.now,
  };
  for (const name of [
    'segmentBytes',
    'maxRecordBytes',
    'gatherMs',
    'syncIntervalMs',
    'retryPauseMs',
    'maxWaits',
    'maxPendingBytes',
    'maxBytes',
    'maxAgeMs',
  ] as const) {
    if (!(settings[name] > 0)) throw new JournalError('JOURNAL_OPTION', `${name} must be positive`);
  }
  for (const name of ['reserveBytes', 'preallocateBytes'] as const) {
    if (!(settings[name] >= 0)) throw new JournalError('JOURNAL_OPTION', `${name} must not be negative`);
  }
  if (settings.maxRecordBytes > 2 ** 31) throw new JournalError('JOURNAL_OPTION', 'maxRecordBytes must be at most 2 GiB');
  if (settings.preallocateBytes > segmentBytes) throw new JournalError('JOURNAL_OPTION', 'preallocateBytes must be at most segmentBytes');
  if (settings.reserveBytes >= maxBytes) throw new JournalError('JOURNAL_OPTION', 'reserveBytes must be less than maxBytes');
  return settings;
}
