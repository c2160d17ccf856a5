import type { ErrorFields } from './messages/error-fields.js';
import type { ErrorResponse } from './messages/error-response.js';

export type Severity = 'ERROR' | 'FATAL' | 'PANIC';

/** What an error of our own says. `code` is the SQLSTATE. */
export interface ErrorText extends Omit<ErrorFields, 'severity' | 'severityNonLocalized' | 'code' | 'message'> {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
}

/** An ErrorResponse as a server writes it: severity in both its fields (chapter 'Error and Notice Message Fields'). */
export function errorResponse(text: ErrorText): ErrorResponse {
  const { severity, ...rest } = text;
  return { kind: 'errorResponse', fields: { severity, severityNonLocalized: severity, ...rest } };
}

type More = Omit<ErrorText, 'severity' | 'code' | 'message'>;

/** `FATAL`: the connection ends after it. */
export function fatal(code: string, message: string, more: More = {}): ErrorResponse {
  return errorResponse({ ...more, severity: 'FATAL', code, message });
}

/** `ERROR`: the statement, and the transaction around it, failed; the connection goes on. */
export function error(code: string, message: string, more: More = {}): ErrorResponse {
  return errorResponse({ ...more, severity: 'ERROR', code, message });
}
