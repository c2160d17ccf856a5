import * as fc from 'fast-check';

import { type BackendMessage, decodeBackend, encodeBackend } from './backend.js';
import { errorResponse } from './errors.js';
import { FrameScanner } from './framing.js';
import { type Awaiting, decodeFrontend, encodeFrontend, type FrontendMessage } from './frontend.js';
import { BackendType, FrontendType } from './message-types.js';
import type { ErrorFields } from './messages/error-fields.js';
import { decodeText } from './text.js';

const text = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value);
const bytes = fc.uint8Array({ maxLength: 24 }).map((value) => Buffer.from(value));
const sql = text.map((value) => Buffer.from(value));
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const oid = fc.integer({ min: 0, max: 0xffff_ffff });
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 5 });
const values = list(fc.option(bytes));
const target = fc.constantFrom('statement' as const, 'portal' as const);
const format = fc.integer({ min: 0, max: 255 });
const secret = fc.uint8Array({ minLength: 4, maxLength: 256 }).map((value) => Buffer.from(value));

const KNOWN_FIELDS = 'severity severityNonLocalized code message detail hint where schema table column dataType constraint position';
const OTHER_FIELDS = 'internalPosition internalQuery file line routine';
const fields: fc.Arbitrary<ErrorFields> = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...`${KNOWN_FIELDS} ${OTHER_FIELDS}`.split(' ')), text, { noNullPrototype: true }),
    fc.array(fc.tuple(fc.constantFrom(0x78, 0xff, 1), text), { maxLength: 2 }),
  )
  .map(([known, other]) => (other.length === 0 ? known : { ...known, other }));

/** One arbitrary a message: the compiler asks for those that are missing. */
type Arbitraries<M extends { readonly kind: string }> = {
  readonly [K in M['kind']]: fc.Arbitrary<Omit<Extract<M, { readonly kind: K }>, 'kind'>>;
};
const nothing = fc.constant({});
const copyResponse = fc.record({ format, columnFormats: list(int16) });

const frontend: Arbitraries<FrontendMessage> = {
  bind: fc.record({ portal: text, statement: text, parameterFormats: list(int16), parameters: values, resultFormats: list(int16) }),
  close: fc.record({ target, name: text }),
  copyData: fc.record({ data: bytes }),
  copyDone: nothing,
  copyFail: fc.record({ reason: text }),
  describe: fc.record({ target, name: text }),
  execute: fc.record({ portal: text, maxRows: int32 }),
  flush: nothing,
  functionCall: fc.record({ functionOid: oid, argumentFormats: list(int16), arguments: values, resultFormat: int16 }),
  parse: fc.record({ statement: text, sql, parameterTypes: list(oid) }),
  query: fc.record({ sql }),
  sync: nothing,
  terminate: nothing,
  passwordMessage: fc.record({ password: text }),
  saslInitialResponse: fc.record({ mechanism: text, data: fc.option(bytes) }),
  saslResponse: fc.record({ data: bytes }),
};

const backend: Arbitraries<BackendMessage> = {
  authenticationOk: nothing,
  authenticationCleartextPassword: nothing,
  authenticationMd5Password: fc.record({ salt: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((salt) => Buffer.from(salt)) }),
  authenticationSasl: fc.record({ mechanisms: list(text.filter((name) => name !== '')) }),
  authenticationSaslContinue: fc.record({ data: bytes }),
  authenticationSaslFinal: fc.record({ data: bytes }),
  authenticationOther: fc.record({ method: fc.constantFrom(2, 7, 8, 9, 99, -1), data: bytes }),
  backendKeyData: fc.record({ processId: int32, secret }),
  bindComplete: nothing,
  closeComplete: nothing,
  commandComplete: fc.record({ tag: text }),
  copyBothResponse: copyResponse,
  copyData: fc.record({ data: bytes }),
  copyDone: nothing,
  copyInResponse: copyResponse,
  copyOutResponse: copyResponse,
  dataRow: fc.record({ values }),
  emptyQueryResponse: nothing,
  errorResponse: fc.record({ fields }),
  functionCallResponse: fc.record({ value: fc.option(bytes) }),
  negotiateProtocolVersion: fc.record({
    newest: fc.record({ major: fc.nat({ max: 0xffff }), minor: fc.nat({ max: 0xffff }) }),
    unknownOptions: list(text),
  }),
  noData: nothing,
  noticeResponse: fc.record({ fields }),
  notificationResponse: fc.record({ processId: int32, channel: text, payload: text }),
  parameterDescription: fc.record({ types: list(oid) }),
  parameterStatus: fc.record({ name: text, value: text }),
  parseComplete: nothing,
  portalSuspended: nothing,
  readyForQuery: fc.record({ status: fc.constantFrom('I' as const, 'T' as const, 'E' as const) }),
  rowDescription: fc.record({
    columns: list(
      fc.record({ name: text, tableOid: oid, attribute: int16, typeOid: oid, typeSize: int16, typeModifier: int32, format: int16 }),
    ),
  }),
};

const AWAITING: ReadonlyMap<string, Awaiting> = new Map([
  ['passwordMessage', 'password'],
  ['saslInitialResponse', 'saslInitialResponse'],
  ['saslResponse', 'saslResponse'],
]);

function ofKind<M extends { readonly kind: string }>(arbitraries: Arbitraries<M>, kind: string): fc.Arbitrary<M> {
  return arbitraries[kind as M['kind']].map((rest) => ({ kind, ...rest }) as unknown as M);
}

const anyOf = <M extends { readonly kind: string }>(arbitraries: Arbitraries<M>): fc.Arbitrary<M> =>
  fc.oneof(...Object.keys(arbitraries).map((kind) => ofKind(arbitraries, kind)));

const split = (frame: Buffer): [number, Buffer] => {
  expect(frame.readInt32BE(1)).toBe(frame.length - 1);
  return [frame[0]!, frame.subarray(5)];
};

/** Whatever a decoder is given, it answers with a message or with a coded error. */
function codedOr<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    expect(error).toMatchObject({ name: 'WireError', code: expect.stringMatching(/^WIRE_(MESSAGE_MALFORMED|TEXT_NOT_UTF8)$/) });
    return undefined;
  }
}

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

describe('messages', () => {
  it.each(Object.keys(frontend))('frontend %s: decode(encode(m)) = m, and no byte more or less is taken', (kind) => {
    fc.assert(
      fc.property(ofKind(frontend, kind), fc.nat(), (message, at) => {
        const [type, body] = split(encodeFrontend(message));
        const awaiting = AWAITING.get(kind);
        expect(decodeFrontend(type, body, awaiting)).toEqual(message);
        if (kind === 'copyData' || kind === 'saslResponse') return;
        expect(codeOf(() => decodeFrontend(type, Buffer.concat([body, Buffer.of(0)]), awaiting))).toBe('WIRE_MESSAGE_MALFORMED');
        if (body.length > 0) {
          const short = codeOf(() => decodeFrontend(type, body.subarray(0, at % body.length), awaiting));
          expect(['WIRE_MESSAGE_MALFORMED', 'WIRE_TEXT_NOT_UTF8']).toContain(short);
        }
      }),
    );
  });

  it.each(Object.keys(backend))('backend %s: decode(encode(m)) = m', (kind) => {
    fc.assert(
      fc.property(ofKind(backend, kind), (message) => {
        const [type, body] = split(encodeBackend(message));
        expect(decodeBackend(type, body)).toEqual(message);
      }),
    );
  });

  it('a conversation reads the same wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(anyOf(backend), { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(encodeBackend));
        const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b);
        const scanner = new FrameScanner({ maxFrameBytes: 65_536 });
        const seen: unknown[] = [];
        for (const [i, end] of at.slice(1).entries()) {
          scanner.push(stream.subarray(at[i], end), (type, buffer, start, stop) => {
            seen.push(decodeBackend(type, buffer.subarray(start, stop)));
          });
        }
        expect(seen).toEqual(messages);
      }),
    );
  });

  it('P9: random bodies of every type end in a message or a coded error', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 }), (type, body) => {
        for (const awaiting of [undefined, 'password', 'saslInitialResponse', 'saslResponse'] as const) {
          codedOr(() => decodeFrontend(type, Buffer.from(body), awaiting));
        }
        codedOr(() => decodeBackend(type, Buffer.from(body)));
      }),
      { numRuns: 2000 },
    );
  });

  it('what random bytes decode to encodes to something that decodes the same', () => {
    const known = [...Object.values(FrontendType), ...Object.values(BackendType)];
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.uint8Array({ maxLength: 40 }), (type, body) => {
        const client = codedOr(() => decodeFrontend(type, Buffer.from(body)));
        if (client !== undefined && client.kind !== 'unknown') {
          expect(decodeFrontend(...split(encodeFrontend(client)))).toEqual(client);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('names an unknown type, and a password that nobody asked for', () => {
    expect(decodeFrontend(0x21, Buffer.from('x'))).toEqual({ kind: 'unknown', type: 0x21 });
    expect(decodeBackend(0x21, Buffer.from('x'))).toEqual({ kind: 'unknown', type: 0x21 });
    expect(decodeFrontend(FrontendType.password, Buffer.from('x\0'))).toEqual({ kind: 'unknown', type: 0x70 });
  });

  const count = (value: number): Buffer => {
    const buffer = Buffer.alloc(2);
    buffer.writeUInt16BE(value);
    return buffer;
  };
  const length = (value: number): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32BE(value);
    return buffer;
  };
  const Z = Buffer.of(0);

  it.each<[string, number, readonly Buffer[]]>([
    ['a query without its NUL', FrontendType.query, [Buffer.from('select 1')]],
    ['a query with bytes behind its NUL', FrontendType.query, [Buffer.from('select 1\0; drop table t\0')]],
    ['a statement name without its NUL', FrontendType.parse, [Buffer.from('s')]],
    ['more parameter types than there are bytes', FrontendType.parse, [Z, Z, count(65_535)]],
    ['more parameters than there are bytes', FrontendType.bind, [Z, Z, count(0), count(65_535)]],
    ['more formats than there are bytes', FrontendType.bind, [Z, Z, count(65_535)]],
    ['a negative length', FrontendType.bind, [Z, Z, count(0), count(1), length(-2), count(0)]],
    ['a length over the body', FrontendType.bind, [Z, Z, count(0), count(1), length(0x7fff_ffff), count(0)]],
    ['a describe of neither', FrontendType.describe, [Buffer.from('Xs\0')]],
    ['a close of neither', FrontendType.close, [Buffer.from('ss\0')]],
    ['a sync with a body', FrontendType.sync, [Z]],
  ])('refuses %s', (_what, type, parts) => {
    expect(codeOf(() => decodeFrontend(type, Buffer.concat(parts)))).toBe('WIRE_MESSAGE_MALFORMED');
  });

  it.each<[string, number, readonly Buffer[]]>([
    ['more values than there are bytes', BackendType.dataRow, [count(3), length(-1), length(-1)]],
    ['more columns than there are bytes', BackendType.rowDescription, [count(1_000), Buffer.alloc(100)]],
    ['a negative count of options', BackendType.negotiateProtocolVersion, [length(0x30000), length(-1)]],
    ['a huge count of options', BackendType.negotiateProtocolVersion, [length(0x30000), length(0x7fff_ffff)]],
    ['an unknown transaction status', BackendType.readyForQuery, [Buffer.from('X')]],
    ['an error without its end', BackendType.errorResponse, [Buffer.from('Mno\0')]],
    ['an error with a field twice', BackendType.errorResponse, [Buffer.from('Mno\0Myes\0\0')]],
    ['a key that is too short', BackendType.backendKeyData, [length(1), Buffer.alloc(3)]],
    ['a key that is too long', BackendType.backendKeyData, [length(1), Buffer.alloc(257)]],
    ['an empty authentication message', BackendType.authentication, []],
  ])('refuses %s', (_what, type, parts) => {
    expect(codeOf(() => decodeBackend(type, Buffer.concat(parts)))).toBe('WIRE_MESSAGE_MALFORMED');
  });

  it('two statement names that differ in bytes never look the same: what is not UTF-8 is refused', () => {
    const close = (name: number): Buffer => Buffer.of(0x53, name, 0);
    expect(codeOf(() => decodeFrontend(FrontendType.close, close(0xfe)))).toBe('WIRE_TEXT_NOT_UTF8');
    expect(codeOf(() => decodeFrontend(FrontendType.close, close(0xff)))).toBe('WIRE_TEXT_NOT_UTF8');
  });

  it('keeps query text as bytes, and makes text of it on demand', () => {
    const message = decodeFrontend(FrontendType.query, Buffer.from('select \xe9\0', 'latin1'));
    expect(message).toEqual({ kind: 'query', sql: Buffer.from('select \xe9', 'latin1') });
    expect(codeOf(() => decodeText(Buffer.from('select \xe9', 'latin1')))).toBe('WIRE_TEXT_NOT_UTF8');
    expect(decodeText(Buffer.from("select 'é'"))).toBe("select 'é'");
  });

  it('encodes no string with a NUL inside, and no count over 65535', () => {
    expect(codeOf(() => encodeFrontend({ kind: 'passwordMessage', password: 'a\0b' }))).toBe('WIRE_VALUE_OUT_OF_RANGE');
    expect(codeOf(() => encodeFrontend({ kind: 'query', sql: Buffer.from('a\0b') }))).toBe('WIRE_VALUE_OUT_OF_RANGE');
    const many = Array.from({ length: 65_536 }, () => null);
    expect(codeOf(() => encodeBackend({ kind: 'dataRow', values: many }))).toBe('WIRE_VALUE_OUT_OF_RANGE');
    expect(decodeBackend(...split(encodeBackend({ kind: 'dataRow', values: many.slice(1) })))).toEqual({
      kind: 'dataRow',
      values: many.slice(1),
    });
  });

  it('writes an error as a server does, fields in its order', () => {
    const frame = encodeBackend(
      errorResponse({ severity: 'ERROR', code: '42501', message: 'refused', detail: 'rule x', hint: 'ask', routine: 'r' }),
    );
    expect(frame.subarray(5).toString()).toBe('SERROR\0VERROR\0C42501\0Mrefused\0Drule x\0Hask\0Rr\0\0');
  });

  it('an error never quotes what it refused', () => {
    try {
      decodeFrontend(FrontendType.password, Buffer.from('hunter2'), 'password');
    } catch (error) {
      expect(String(error)).not.toContain('hunter2');
      return;
    }
    throw new Error('not refused');
  });
});
