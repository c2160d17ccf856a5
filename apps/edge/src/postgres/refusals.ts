import type { Refusal } from '@sallyport/session';
import { encodeDescribe, encodeErrorResponse, encodeParse, encodeQuery, error, type ErrorFields, fatal } from '@sallyport/wire-postgres';

/**
 * The one place where a refusal becomes a Postgres error (P8), and where the messages stand that the target is sent in place of
 * what was refused (docs/adr/0003).
 */
const SQLSTATE: Readonly<Record<Refusal['kind'], string>> = {
  policy: '42501', // insufficient_privilege
  mask: '42501',
  hold: '42501',
  protocol: '42501',
  undecided: '42501',
  cancelled: '57014', // query_canceled
  record: '53100', // disk_full
  limit: '54000', // program_limit_exceeded
};

export function refusalError(refusal: Refusal): Buffer {
  const rules = refusal.rules.map(({ path, title }) => (title === '' ? path : `${path}: ${title}`));
  return encodeErrorResponse(
    error(refusal.code ?? SQLSTATE[refusal.kind], refusal.message, {
      ...(rules.length > 0 ? { detail: `Rule: ${rules.join('; ')}` } : {}),
      ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
    }),
  );
}

export function errorBytes(fields: ErrorFields): Buffer {
  return encodeErrorResponse({ kind: 'errorResponse', fields });
}

export function lastWords(code: string, message: string, hint?: string): Buffer {
  return encodeErrorResponse(fatal(code, message, hint === undefined ? {} : { hint }));
}

/** The session was shown what is masked now, and may have kept it under names of its own. */
export function policyChanged(): Buffer {
  return lastWords('57P01', 'the policy changed: connect again', 'it masks more for you than when this session began');
}

/** A syntax error in every state of a connection: raised by the raw parser, before anything is looked up or run. */
const POISON = Buffer.from('sallyport refused this statement');
/** A name of ours, so that the unnamed statement stays as it is. */
const POISON_NAME = 'sallyport refused';
const POISON_QUERY = encodeQuery({ kind: 'query', sql: POISON });
const POISON_PARSE = encodeParse({ kind: 'parse', statement: POISON_NAME, sql: POISON, parameterTypes: [] });

/** In place of Query or FunctionCall. */
export function poisonQuery(): Buffer {
  return POISON_QUERY;
}

/** In place of a message of the extended protocol. */
export function poisonParse(): Buffer {
  return POISON_PARSE;
}

export function describePortal(name: string): Buffer {
  return encodeDescribe({ kind: 'describe', target: 'portal', name });
}

export function tooMany(what: string, limit: string): Refusal {
  return { kind: 'limit', message: `too many ${what}`, rules: [], hint: `close some of them, or raise ${limit}` };
}

export function protocolRefusal(message: string, hint: string): Refusal {
  return { kind: 'protocol', message, rules: [], hint };
}

/** As the server itself would say it. */
export function noSuchStatement(name: string): Refusal {
  const message = name === '' ? 'unnamed prepared statement does not exist' : `prepared statement "${name}" does not exist`;
  return { kind: 'protocol', code: '26000', message, rules: [] };
}

export function noSuchPortal(name: string): Refusal {
  return { kind: 'protocol', code: '34000', message: `portal "${name}" does not exist`, rules: [] };
}

export function notUtf8(): Refusal {
  return { kind: 'protocol', code: '22021', message: 'invalid byte sequence for encoding "UTF8"', rules: [] };
}

export function notAscii(): Refusal {
  return protocolRefusal('beyond ASCII, statements are read in UTF-8 only', 'sign in with client_encoding UTF8');
}
