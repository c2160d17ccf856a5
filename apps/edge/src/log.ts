import type { Logger } from 'pino';

/** Structured, never a secret, no statement text above debug. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
