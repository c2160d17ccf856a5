import { scrubMessage } from './scrub-message.js';

const SECRET = 'ada@example.com';
const error = (fields: Record<string, string>): Map<string, string> =>
  new Map(Object.entries({ S: 'ERROR', V: 'ERROR', C: '23514', M: 'broken', ...fields }));
const scrubbed = (fields: Record<string, string>, statement = ''): Record<string, string> =>
  Object.fromEntries(scrubMessage(error(fields), statement));

describe('scrubMessage', () => {
  it('P5: drops detail, hint, context, internal query and source position, and says so', () => {
    const got = scrubbed({ D: SECRET, H: SECRET, q: SECRET, p: '3', F: 'x.c', L: '1', R: 'f', W: `COPY t, line 1: "${SECRET}"` });
    expect(got).toEqual({ S: 'ERROR', V: 'ERROR', C: '23514', M: 'broken', H: expect.stringContaining('withheld') as string });
  });

  it('keeps the names of objects, and the client’s own words', () => {
    const got = scrubbed({
      M: 'new row for relation "customers" violates check constraint "positive"',
      t: 'customers',
      n: 'positive',
      P: '7',
    });
    expect(got).toMatchObject({
      M: 'new row for relation "customers" violates check constraint "positive"',
      t: 'customers',
      n: 'positive',
      P: '7',
    });
    expect(scrubbed({ M: 'column "nmae" does not exist' }, 'SELECT nmae FROM customers')['M']).toBe('column "nmae" does not exist');
  });

  it.each([
    [`invalid input syntax for type integer: "${SECRET}"`, 'invalid input syntax for type integer: "[redacted]"'],
    [`value "${SECRET}" is bad for "id"`, 'value "[redacted]" is bad for "id"'.replace(' is bad for "id"', '')],
    [`bad: "id" ${SECRET} "x"`, 'bad: "[redacted]"'],
    [`open "${SECRET}`, 'open "[redacted]"'],
  ])('P5: a quoted value goes: %s', (from, to) => {
    expect(scrubbed({ M: from }, 'SELECT id FROM customers')['M']).toBe(to);
  });

  it.each([
    [
      'raised by stored code',
      { M: SECRET, W: 'PL/pgSQL function tell() line 1 at RAISE', t: SECRET, n: SECRET, d: SECRET, c: SECRET, s: SECRET },
    ],
    ['raised in a language of another name', { M: SECRET, W: 'anything' }],
    ['translated', { S: 'FEHLER', M: `ungültig: „${SECRET}“` }],
    ['quoted in another way', { M: `«${SECRET}»` }],
  ])('P5: withholds a message that is %s', (_what, fields) => {
    expect(JSON.stringify(scrubbed(fields))).not.toContain(SECRET);
    expect(scrubbed(fields)['C']).toBe('23514');
  });
});
