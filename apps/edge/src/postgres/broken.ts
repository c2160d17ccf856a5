import { MaskingError } from '@sallyport/masking';
import { type EndReason, RecordLate, RecordUnavailable } from '@sallyport/session';
import { WireError } from '@sallyport/wire-postgres';
import { lastWords } from './refusals.js';

/** How a session ends when something under it breaks. */
export interface End {
  readonly reason: EndReason;
  /** For the record. */
  readonly detail: string;
  /** For the agent. */
  readonly words: Buffer;
  /** A fault of the edge, which somebody has to look at. */
  readonly isOurs: boolean;
}

export function endOf(error: unknown): End {
  const ends = (reason: EndReason, detail: string, words: Buffer): End => ({ reason, detail, words, isOurs: false });
  if (error instanceof WireError)
    return ends('error', error.message, lastWords('08P01', 'the target sent what this edge does not understand'));
  if (error instanceof MaskingError)
    return ends(
      'error',
      error.code,
      lastWords('42501', 'a result could not be masked', 'the tables may have changed meanwhile: try again'),
    );
  if (error instanceof RecordLate) {
    const words = lastWords('53100', 'the answer can not be put on record in time', 'the bus is away: tell the operator');
    return ends('record', 'the record came too late', words);
  }
  if (error instanceof RecordUnavailable || isRecordLoss(error))
    return ends('record', 'the record was lost', lastWords('58030', 'the session can not be put on record any longer'));
  const words = lastWords('XX000', 'the session ended by a fault of the edge');
  return { reason: 'error', detail: error instanceof Error ? error.name : 'unknown', words, isOurs: true };
}

function isRecordLoss(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('JOURNAL_');
}
