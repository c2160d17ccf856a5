import { QueryFailedError } from 'typeorm';

export type StoreErrorCode =
  /** The URL, or a setting, can't be used. */
  | 'STORE_OPTION'
  /** No connection, or it broke: worth trying again. Nothing of a batch that failed this way is there, or all of it is. */
  | 'STORE_UNREACHABLE'
  /** Records between what is stored and this batch are missing. Nothing was written. */
  | 'STORE_GAP'
  /** A cursor that was not made here. */
  | 'STORE_CURSOR'
  /** A filter whose value can't be one, such as a time that is none. */
  | 'STORE_VALUE'
  /** The rebuilt model is not as far as the live one. */
  | 'STORE_REBUILD_BEHIND'
  /** Another rebuild is under way. */
  | 'STORE_REBUILDING'
  /** The database refused. Worth trying again only once somebody has looked. */
  | 'STORE_FAILED';

/** What went wrong with the read model. Messages hold no URL, no password and no row. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    /** SQLSTATE or the system's error code, when there is one. */
    readonly reason?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** Connection exceptions, resources, operator intervention (shutdown, terminated), system errors. */
const UNREACHABLE_CLASSES = ['08', '53', '57', '58'];
/** Not of the driver: a fault in our own code, which trying again won't mend. */
const OURS = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'];
const RETRYABLE = ['40001', '40P01', '55P03'];

/**
 * Any error of the driver in our terms. Of the server's words only the primary message is kept: details quote rows. Of the errors of
 * connecting only the code: they may quote where to.
 */
export function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  const code = (cause as { code?: unknown } | null)?.code;
  const reason = typeof code === 'string' ? code : undefined;
  const { name, message } = cause as Error;
  if (OURS.includes(name)) return new StoreError('STORE_FAILED', `the read model has a fault (${name})`, name, { cause });
  if (reason === undefined || !SQLSTATE.test(reason) || reason.startsWith('E')) {
    return new StoreError('STORE_UNREACHABLE', `the database can't be reached${reason === undefined ? '' : ` (${reason})`}`, reason);
  }
  if (UNREACHABLE_CLASSES.includes(reason.slice(0, 2)) || RETRYABLE.includes(reason)) {
    return new StoreError('STORE_UNREACHABLE', `the database is not available (${reason})`, reason);
  }
  if (reason.startsWith('22')) return new StoreError('STORE_VALUE', `a value can't be read by the database (${reason})`, reason);
  return new StoreError('STORE_FAILED', `the database refused (${reason}): ${message}`, reason);
}
