import { type Logger, pino } from 'pino';

/** Structured logs on standard error, one JSON object a line; nothing that could hold a secret is ever written. */
export function createLog(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['token', 'password', 'authorization', '*.token', '*.password', 'err.config'], censor: '[redacted]' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
