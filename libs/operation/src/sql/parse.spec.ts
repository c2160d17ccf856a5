import fc from 'fast-check';
import { loadModule, scanSync } from 'libpg-query';
import { fromPostgres, loadParser, parseSql, UnparseableSqlError } from '../index.js';
import { EngineFailure, parseTree } from './engine.js';
import { tokens } from './lexer.js';

beforeAll(async () => {
  await loadParser();
  await loadModule();
});

describe('parseSql', () => {
  it('gives the tree, and for a syntax error what the server would say', () => {
    expect(parseSql('SELECT 1; SELECT 2').statements).toHaveLength(2);
    expect(parseSql('SELECT 1').version).toBeGreaterThanOrEqual(180000);
    let error: unknown;
    try {
      parseSql("SELECT secret FRM 'x'");
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UnparseableSqlError);
    expect(error).toMatchObject({ code: 'OPERATION_SQL_UNPARSEABLE', problem: 'syntax', message: 'syntax error' });
    expect(error).toMatchObject({ server: { message: `syntax error at or near "'x'"`, position: 19 } });
  });

  it('P9: a statement longer than the limit is not parsed', () => {
    expect(fromPostgres('SELECT 1', { maxParsedBytes: 7 }).problem).toMatch(/^too_long: .*maxParsedBytes/);
    expect(fromPostgres('SELECT 1', { maxParsedBytes: 8 }).class).toBe('postgres.read');
  });

  it.each([
    ['brackets', (n: number) => `SELECT ${'('.repeat(n)}1${')'.repeat(n)}`],
    ['operators', (n: number) => `SELECT 1${'+a'.repeat(n)}`],
    ['NOT', (n: number) => `SELECT ${'NOT '.repeat(n)}true`],
    ['minus', (n: number) => `SELECT ${'- '.repeat(n)}1`],
    ['subqueries', (n: number) => `SELECT ${'(SELECT '.repeat(n)}1${')'.repeat(n)}`],
    ['FROM', (n: number) => `${'SELECT * FROM ('.repeat(n)}SELECT 1${')'.repeat(n)}`],
    ['UNION', (n: number) => `SELECT 1${' UNION SELECT 1'.repeat(n)}`],
    ['JOIN', (n: number) => `SELECT 1 FROM a${' JOIN a ON b AND c'.repeat(n)}`],
    ['CASE', (n: number) => `SELECT ${'CASE WHEN a THEN '.repeat(n)}1${' END'.repeat(n)}`],
    ['arrays', (n: number) => `SELECT ${'ARRAY['.repeat(n)}${']'.repeat(n)}`],
    ['casts', (n: number) => `SELECT a${'::int'.repeat(n)}`],
    ['subscripts', (n: number) => `SELECT a${'[1]'.repeat(n)}`],
    ['BETWEEN', (n: number) => `SELECT a${' BETWEEN 1 AND NOT a'.repeat(n)}`],
    ['CTEs', (n: number) => `${'WITH a AS ('.repeat(n)}SELECT 1${') SELECT 1'.repeat(n)}`],
    ['COLLATE', (n: number) => `SELECT a${' COLLATE c'.repeat(n)}`],
    ['function calls', (n: number) => `SELECT ${'f('.repeat(n)}1${')'.repeat(n)}`],
  ])('P9: %s that nest: judged up to the limit, refused beyond, and the parser lives', (_name, sql) => {
    for (const n of [20, 50, 100, 200, 300, 500, 1000, 3000, 20_000]) {
      const operation = fromPostgres(sql(n));
      // Beyond the limit it is refused before the parser sees it: its own stack is never put to the test.
      expect(operation.problem ?? '').not.toMatch(/parser_failed|nests too deep$/);
      if (n <= 50) expect(operation.parseable).toBe(true);
      if (n >= 3000) expect(operation.parseable).toBe(false);
    }
    expect(fromPostgres('SELECT a FROM t').statements[0]!.tables).toEqual([{ schema: null, name: 't', access: 'read' }]);
  });

  it('long statements that are flat are not deep', () => {
    const many = (n: number, text: string, between: string): string => Array.from({ length: n }, () => text).join(between);
    for (const sql of [
      `INSERT INTO t VALUES ${many(3000, "(1, 'a', now())", ', ')}`,
      `SELECT * FROM t WHERE ${many(3000, 'a = 1', ' OR ')}`,
      `SELECT * FROM t WHERE a IN (${many(9000, '1', ', ')})`,
      `SELECT ${many(1600, 'lower(a)', ', ')} FROM t`,
      many(3000, 'SELECT 1', ';'),
      `SELECT 1 ${many(200, 'UNION ALL SELECT 1', ' ')}`,
    ]) {
      expect(fromPostgres(sql).problem).toBeUndefined();
    }
  });

  it('P9: a parser that trapped is replaced, over and over, and never answers wrongly', async () => {
    const expected = JSON.stringify(parseTree('SELECT a, b + 1 FROM t WHERE x IN (1, 2, 3)'));
    const deep = `SELECT 1${'+a'.repeat(30_000)}`;
    for (let i = 0; i < 5; i++) {
      expect(() => parseTree(deep)).toThrow(EngineFailure);
      // The spare answers at once.
      expect(JSON.stringify(parseTree('SELECT a, b + 1 FROM t WHERE x IN (1, 2, 3)'))).toBe(expected);
      await loadParser();
    }
  });

  it('without a spare it refuses until the next one is loaded', async () => {
    const deep = `SELECT 1${'+a'.repeat(30_000)}`;
    await loadParser();
    expect(() => parseTree(deep)).toThrow(EngineFailure);
    expect(() => parseTree(deep)).toThrow(EngineFailure);
    expect(fromPostgres('SELECT 1').problem).toMatch(/^parser_failed: /);
    await loadParser();
    expect(fromPostgres('SELECT 1').class).toBe('postgres.read');
  });
});

describe('our tokens against the scanner of PostgreSQL', () => {
  const ours = (text: string): string[] => tokens(text).flatMap(({ kind, start, end }) => (kind === 'other' ? [] : [`${start}-${end}`]));
  const theirs = (text: string): string[] => {
    const at = new Map<number, number>();
    const bytes = Buffer.from(text);
    const index = (byte: number): number => {
      const known = at.get(byte) ?? bytes.subarray(0, byte).toString().length;
      at.set(byte, known);
      return known;
    };
    // Operators and punctuation we cut finer; they are neither literals nor comments.
    return scanSync(text)
      .tokens.filter(({ text }) => /^[\p{L}\p{N}_$'"]|^--|^\/\*|^\.\d|^[^ -~]/u.test(text))
      .map(({ start, end }) => `${index(start)}-${index(end)}`);
  };

  it.each([
    "SELECT E'a\\'b', U&'d\\0061t' UESCAPE '!', B'101', X'1F', 1.5e3, .5, 5., 1..2, $$x$$, $1, 'it''s'",
    'SELECT "a""b", U&"c" UESCAPE \'!\', ü, a$b, _x, "ü"',
    'SELECT 1 -- x\n + 2 /* a /* b */ c */ - 3 --',
    "SELECT $a$ $$ $b$ $a$, $ä$x$ä$, a@-1, b->>'c', d::int, e:=1, f=>2, g<=-1, h*-/**/1",
    'SELECT 0x1F, 0o17, 0b11, 1_000, 1e-5, 1E+5',
    "SELECT e'\\\\', E'\\'';SELECT ''",
    "SELECT 'a'\n\n'b', E'a'\n 'b\\'c', 'a'+1",
    'SELECT a.b.*,(c).d[1:2],e[3]',
  ])('%s', (sql) => {
    expect(ours(sql)).toEqual(theirs(sql));
  });

  it('whatever comes', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '$',
      '$$',
      '$a$',
      '--',
      '/*',
      '*/',
      '\n',
      ' ',
      'a',
      'E',
      'U&',
      "e'",
      '\\',
      '1',
      '.5',
      '1.',
      '0x1',
      '$1',
      'ü',
      '😀',
      ';',
      '(',
      '+',
      '-',
      '_',
      ',',
      "''",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const text = `SELECT ${pieces.join('')}`;
        let expected: string[];
        try {
          parseSql(text);
          expected = theirs(text);
        } catch {
          return; // not SQL: then nothing is recorded
        }
        expect(ours(text)).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('fromPostgres', () => {
  it('is a pure function that never throws', () => {
    const word = fc.constantFrom(
      'SELECT',
      'FROM',
      'WHERE',
      'DELETE',
      'INSERT INTO',
      'UPDATE',
      'SET',
      'WITH',
      'AS',
      '(',
      ')',
      ',',
      ';',
      '*',
      't',
      'a',
      '1',
      "'x'",
      '$1',
      '=',
      'AND',
      'JOIN',
      'ON',
      'COPY',
      'TO',
      'STDOUT',
      'EXPLAIN',
      'ANALYZE',
      'RETURNING',
      'UNION',
      'CREATE',
      'TABLE',
      'f(',
      '.',
    );
    const sql = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(sql, (text) => {
        const first = fromPostgres(text);
        expect(fromPostgres(text)).toEqual(first);
        expect(first.classes).toContain(first.class);
        if (!first.parseable) expect(first.class).toBe('postgres.unparseable');
      }),
      { numRuns: 500 },
    );
  });
});

describe('P9: hostile statements cost about what honest ones of their size do', () => {
  const size = 30_000;
  const fill = (head: string, piece: string, between: string, tail = ''): string => {
    const n = Math.floor((size - head.length - tail.length) / (piece.length + between.length));
    return head + Array.from({ length: n }, () => piece).join(between) + tail;
  };
  const fastest = (sql: string): number => {
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = process.hrtime.bigint();
      fromPostgres(sql);
      best = Math.min(best, Number(process.hrtime.bigint() - start));
    }
    return best;
  };
  let yardstick: number | undefined;
  const honest = fill('INSERT INTO t VALUES ', "(1, 'a', now())", ', ');

  it.each([
    ['columns of many relations', fill('SELECT ', 'a', ',').slice(0, size / 2) + fill(' FROM t', ',t', '').slice(0, size / 2)],
    ['stars of many relations', `${fill('SELECT ', '*', ',').slice(0, size / 2)}* ${fill(' FROM t', ',t', '').slice(0, size / 2)}`],
    [
      'one big item, ordered by often',
      `SELECT ${fill('f(', 'a', ',', ')').slice(-size / 2 + 2)} ORDER BY 1${',1'.repeat(size / 4)}`.replace('SELECT a', 'SELECT f(a'),
    ],
    ['many items, ordered by all', `SELECT ${'a,'.repeat(size / 4)}a ORDER BY 1${',2'.repeat(size / 4)}`],
    ['ORs of columns and their opposites', fill('DELETE FROM t WHERE ', 'a OR NOT b', ' OR ')],
    ['one big side, compared with many', `DELETE FROM t WHERE f(${fill('', 'a', ',').slice(0, size / 2)}a) IN (1${',a'.repeat(size / 4)})`],
    [
      'ORs in ANDs in ORs',
      `DELETE FROM t WHERE ${'(a OR (b AND '.repeat(200)}c${'))'.repeat(200)} OR ${fill('', 'a', ' OR ').slice(0, size / 2)}a`,
    ],
    ['words for values behind a letter of two bytes', `SET "ü" = ${fill('', 'a', ',')}`],
    ['open brackets', '('.repeat(size)],
    ['open comments', '/*'.repeat(size / 2)],
    ['open quotes', "'".repeat(size)],
    ['dollars', '$a$b'.repeat(size / 4)],
    ['renamed tables', fill('SELECT a FROM t', ',t AS x(a)', '')],
  ])('%s', (_name, sql) => {
    yardstick ??= fastest(honest);
    expect(fastest(sql)).toBeLessThan(yardstick * 40);
  });
});
