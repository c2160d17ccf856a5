import { encodeQuery } from '@sallyport/wire-postgres';
import { ask, bind, execute, parse, script, sync } from './script.js';

/** Large and many. */
export const SIZES = [
  script('large values', async (s) => {
    await s.query("SELECT repeat('x', 1000000)");
    await s.query("SELECT repeat('☂', 400000), 1");
    await s.query("SELECT decode(repeat('00ff', 2500000), 'hex')");
    await s.send('binary', [parse("SELECT decode(repeat('00ff', 2500000), 'hex'), 7"), bind([], { results: [1] }), execute(), sync], 1);
    await s.query("SELECT repeat('x', 20000000)");
    await s.query("SELECT 1, repeat('x', 70000), NULL, repeat('y', 70000), 5 FROM generate_series(1, 50)");
    await s.send('in', ask('SELECT length($1), md5($1)', ['p'.repeat(1_000_000)]).concat(sync), 1);
    await s.send('in, 5 MB', ask('SELECT length($1::bytea)', [`\\x${'ab'.repeat(2_500_000)}`]).concat(sync), 1);
    await s.query("DO $$ BEGIN RAISE NOTICE '%', repeat('n', 100000); RAISE EXCEPTION '%', repeat('e', 100000); END $$");
  }),

  script('many rows', async (s) => {
    await s.query('SELECT i, i * 2 FROM generate_series(1, 1000000) AS i');
    await s.query('SELECT i FROM generate_series(1, 100000) AS i; SELECT -i FROM generate_series(1, 100000) AS i');
    await s.send(
      'in portions',
      [parse('SELECT i FROM generate_series(1, 5000) AS i'), bind(), ...Array.from({ length: 60 }, () => execute('', 100)), sync],
      1,
    );
    await s.query('SELECT FROM generate_series(1, 1000)');
  }),

  script('many columns', async (s) => {
    await s.query(`SELECT ${Array.from({ length: 1000 }, (_, i) => `${i} AS c${i}`).join(', ')}`);
    await s.query(`SELECT ${Array.from({ length: 1664 }, (_, i) => i).join(', ')}`);
    await s.query(`SELECT ${Array.from({ length: 1665 }, (_, i) => i).join(', ')}`);
  }),

  script('many statements', async (s) => {
    await s.query(Array.from({ length: 1000 }, (_, i) => `SELECT ${i}`).join(';'));
    await s.query(`${Array.from({ length: 300 }, (_, i) => `SELECT ${i}`).join(';')}; SELECT 1/0; SELECT 2`);
    for (let i = 0; i < 200; i++) await s.query('SELECT count(*) FROM people');
    await s.send(
      'queries ahead',
      Array.from({ length: 300 }, (_, i) => encodeQuery({ kind: 'query', sql: Buffer.from(i % 20 === 3 ? 'SELEC' : `SELECT ${i}`) })),
      300,
    );
  }),

  script('long statements', async (s) => {
    await s.query(`SELECT '${'x'.repeat(200_000)}'`);
    await s.query(`SELECT 1 ${' '.repeat(200_000)}`);
    await s.query(`/* ${'c'.repeat(200_000)} */ SELECT 2`);
    await s.query(`SELECT ${'('.repeat(500)}1${')'.repeat(500)}`);
    await s.query(`SELECT ${Array.from({ length: 10_000 }, () => '1').join(' + ')}`);
    await s.query(`SELECT 1 WHERE 1 IN (${Array.from({ length: 20_000 }, (_, i) => i).join(',')})`);
    await s.query(`INSERT INTO counted (n) VALUES ${Array.from({ length: 5000 }, (_, i) => `(${i})`).join(',')}`);
    await s.query('DELETE FROM counted');
  }),

  script('statements past limits.maxParsedBytes', async (s) => {
    await s.query(`SELECT length('${'x'.repeat(300_000)}')`);
    await s.send('extended', [...ask(`SELECT length('${'x'.repeat(300_000)}')`), sync], 1);
    await s.query('SELECT 1');
  }),

  script('messages past limits.maxFrameBytes', async (s) => {
    await s.send('in, 20 MB', ask('SELECT length($1)', ['p'.repeat(20_000_000)]).concat(sync), 1);
    await s.query('SELECT 1');
  }),

  script('bytes one by one', async (s) => {
    const bytes = Buffer.concat([
      encodeQuery({ kind: 'query', sql: Buffer.from("SELECT 'one', 'by', 'one'") }),
      ...ask('SELECT 1/0'),
      sync,
      ...ask('SELECT 2'),
      sync,
    ]);
    for (const byte of bytes) {
      s.connection.send(Buffer.of(byte));
      if (byte === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await s.send('answers', [], 3);
  }),
];
