import type { MaskWay } from '@sallyport/verdict';
import * as fc from 'fast-check';

import type { AllowedPlan } from './mask-plan.js';
import { type ResultField, rowMasker } from './row-masker.js';

const TEXT = 25;
const EMAIL = 'public.customers.email';
const settings = { hashKey: Buffer.alloc(32, 7), clientEncoding: 'UTF8' };

function row(...values: readonly (string | Buffer | null)[]): Buffer {
  const head = Buffer.alloc(2);
  head.writeInt16BE(values.length);
  return Buffer.concat([
    head,
    ...values.map((value) => {
      const bytes = value === null ? Buffer.alloc(0) : Buffer.from(value as string);
      const length = Buffer.alloc(4);
      length.writeInt32BE(value === null ? -1 : bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  ]);
}

const plan = (way: MaskWay, attribute = 2): AllowedPlan => ({
  kind: 'plain',
  scrub: true,
  origins: null,
  columns: new Map([[`100:${attribute}`, { column: EMAIL, way }]]),
});
const field = (attribute: number, typeOid = TEXT, format: 0 | 1 = 0): ResultField => ({
  name: 'x',
  tableOid: 100,
  attribute,
  typeOid,
  format,
});
const masker = (way: MaskWay, typeOid = TEXT, format: 0 | 1 = 0) => {
  const found = rowMasker(plan(way), [field(1), field(2, typeOid, format), field(3)], settings);
  if (!found) throw new Error('nothing to mask');
  return found;
};

describe('rowMasker', () => {
  it('has nothing to do when no masked column is among the fields, whatever they are called', () => {
    expect(rowMasker(plan('redact'), [{ ...field(1), name: 'email' }])).toBeUndefined();
    expect(rowMasker(plan('redact'), [{ ...field(2), tableOid: 101 }])).toBeUndefined();
  });

  it.each([
    ['redact', TEXT, 0, 'ada@example.com', '[redacted]'],
    ['redact', 1043, 1, 'ada@example.com', '[redacted]'],
    ['redact', 1042, 0, 'ada  ', '[redacted]'],
    ['redact', 19, 0, 'ada', '[redacted]'],
    ['redact', 114, 0, '{}', '"[redacted]"'],
    ['redact', 3802, 0, '{}', '"[redacted]"'],
    ['redact', 3802, 1, '\u0001{}', '\u0001"[redacted]"'],
    ['redact', 23, 0, '42', null],
    ['redact', 23, 1, '\0\0\0*', null],
    ['redact', 1009, 0, '{a,b}', null],
    ['redact', 99999, 0, 'a citext, an enum, who knows', null],
    ['null', TEXT, 0, 'ada', null],
    ['null', 3802, 0, '{}', null],
    ['partial', TEXT, 0, '4111111111111111', '************1111'],
    ['partial', TEXT, 1, 'ada@example.com', '***********.com'],
    ['partial', TEXT, 0, 'zwölf€uro', '*****€uro'],
    ['partial', TEXT, 0, '1234567', '****'],
    ['partial', TEXT, 0, '', '****'],
    ['partial', 23, 0, '42', null],
    ['partial', 114, 0, '"x"', '"[redacted]"'],
    ['hash', 23, 0, '42', null],
    ['hash', 114, 0, '1', '"[redacted]"'],
  ] as const)('P5: %s of type %i in format %i: %j becomes %j', (way, typeOid, format, from, to) => {
    const one = masker(way, typeOid, format);
    expect(one.mask(row('1', from, null))).toEqual(row('1', to, null));
    expect(one.counts()).toEqual({ [EMAIL]: 1 });
  });

  it('hashes so that equal values join, across rows, columns and padding, and not across keys', () => {
    const token = (typeOid: number, value: string): string =>
      masker('hash', typeOid)
        .mask(row('', value, ''))
        .toString();
    expect(token(TEXT, 'ada')).toBe(token(1042, 'ada   '));
    expect(token(TEXT, 'ada')).not.toBe(token(TEXT, 'bob'));
    expect(token(TEXT, 'ada')).toMatch(/hash:[\w-]{22}/);
    const other = rowMasker(plan('hash'), [field(1), field(2), field(3)], { hashKey: Buffer.alloc(32, 8) });
    expect(other?.mask(row('', 'ada', '')).toString()).not.toBe(token(TEXT, 'ada'));
  });

  it('P5: hash without a key is refused, not skipped', () => {
    expect(() => rowMasker(plan('hash'), [field(2)], {})).toThrow(expect.objectContaining({ code: 'MASK_HASH_KEY' }) as Error);
    expect(() => rowMasker(plan('hash'), [field(2)], { hashKey: Buffer.alloc(8) })).toThrow('16 bytes');
  });

  it('shows nothing of text in an encoding that it can not cut', () => {
    const found = rowMasker(plan('partial'), [field(2)], { clientEncoding: 'SJIS' });
    expect(found?.mask(row('something long'))).toEqual(row('[redacted]'));
  });

  it('gives a row without a masked value back as it is', () => {
    const body = row('1', null, 'x');
    const one = masker('redact');
    expect(one.mask(body)).toBe(body);
    expect(one.counts()).toEqual({});
  });

  it('P5: masks exactly the masked columns of any row', () => {
    const value = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), value), { maxLength: 12 }), (columns) => {
        const fields = columns.map(([isMasked]) => field(isMasked ? 2 : 1));
        const found = rowMasker(plan('redact'), fields, settings);
        const body = row(...columns.map(([, bytes]) => bytes));
        const expected = row(...columns.map(([isMasked, bytes]) => (isMasked && bytes ? '[redacted]' : bytes)));
        expect(found ? found.mask(body) : body).toEqual(expected);
      }),
    );
  });

  it('P5: refuses every row that is cut or says another number of columns', () => {
    const body = row('1', 'ada@example.com', 'x');
    for (let end = 0; end < body.length; end++) {
      expect(() => masker('redact').mask(body.subarray(0, end))).toThrow(expect.objectContaining({ code: 'MASK_ROW_MALFORMED' }) as Error);
    }
    for (const bad of [Buffer.concat([body, Buffer.from([0])]), row('1', 'a'), row('1', 'a', 'b', 'c')]) {
      expect(() => masker('redact').mask(bad)).toThrow('DataRow');
    }
    const negative = row('1', 'ada', 'x');
    negative.writeInt32BE(-2, 7);
    expect(() => masker('redact').mask(negative)).toThrow('DataRow');
  });
});
