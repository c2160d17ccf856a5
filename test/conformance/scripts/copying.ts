import { encodeCopyData, encodeCopyDone, encodeCopyFail, encodeQuery } from '@sallyport/wire-postgres';
import { ask, bind, execute, flush, parse, script, sync } from './script.js';

const data = (text: string | Buffer): Buffer => encodeCopyData({ kind: 'copyData', data: Buffer.from(text as string) });
const done = encodeCopyDone({ kind: 'copyDone' });
const fail = (reason: string): Buffer => encodeCopyFail({ kind: 'copyFail', reason });
const query = (sql: string): Buffer => encodeQuery({ kind: 'query', sql: Buffer.from(sql) });

/** COPY where the order of messages matters. */
export const COPYING = [
  script('copy in every order', async (s) => {
    await s.query('CREATE TEMP TABLE c (id int, v text)');
    await s.send('all at once', [query('COPY c FROM STDIN'), data('1\ta\n'), data('2\tb\n'), done], 1);
    await s.send('extended, all at once', [parse('COPY c FROM STDIN'), bind(), execute(), data('3\tc\n'), done, sync], 1);
    await s.send('a Sync in copy mode', [parse('COPY c FROM STDIN'), bind(), execute(), sync, data('4\td\n'), done, sync], 1);
    await s.send('a Flush in copy mode', [parse('COPY c FROM STDIN'), bind(), execute(), flush, data('5\te\n'), flush, done, sync], 1);
    await s.send('given up', [query('COPY c FROM STDIN'), data('6\tf\n'), fail('enough')], 1);
    await s.send('given up, extended', [parse('COPY c FROM STDIN'), bind(), execute(), data('6\tf\n'), fail('enough ☂'), sync], 1);
    await s.send('bad rows, and more of them', [query('COPY c FROM STDIN'), data('x\n'), data('7\tg\n'), data('8\th\n'), done], 1);
    await s.send('bad rows, extended', [parse('COPY c FROM STDIN'), bind(), execute(), data('x\n'), data('7\tg\n'), done, sync], 1);
    await s.query('SELECT * FROM c ORDER BY id');
    await s.send('data for nobody', [data('9\ti\n'), done, fail('nobody'), query('SELECT 1')], 1);
    await s.send('data after a COPY that failed', [query('COPY nowhere FROM STDIN'), data('1\n'), done, query('SELECT 2')], 2);
    await s.send(
      'a row in pieces',
      [query('COPY c FROM STDIN'), data('1'), data('0'), data('\t'), data('j'), data(''), data('\n'), done],
      1,
    );
    await s.send('no line end', [query('COPY c FROM STDIN'), data('11\tk'), done], 1);
    await s.send('behind the end', [query('COPY c FROM STDIN'), data('12\tl\n\\.\n13\tm\n'), done], 1);
    await s.send(
      'two copies in one string',
      [query('COPY c FROM STDIN; COPY c FROM STDIN; SELECT 3'), data('14\tn\n'), done, data('15\to\n'), done],
      1,
    );
    await s.send(
      'two queries',
      [query('COPY c FROM STDIN'), data('16\tp\n'), done, query('COPY c FROM STDIN'), data('17\tq\n'), done, query('SELECT 4')],
      3,
    );
    await s.send('out and in', [query('COPY c TO STDOUT; COPY c FROM STDIN'), data('18\tr\n'), done], 1);
    await s.send('in a pipeline', [...ask('SELECT 5'), parse('COPY (SELECT 1) TO STDOUT'), bind(), execute(), ...ask('SELECT 6'), sync], 1);
    await s.query('SELECT count(*), sum(id) FROM c');
  }),

  script('a query in copy mode', async (s) => {
    await s.query('CREATE TEMP TABLE c (id int)');
    await s.send('copy', [query('COPY c FROM STDIN')], 0);
    await s.until([0x47]);
    await s.send('query', [query('SELECT 1')], 1);
    await s.query('SELECT 2');
  }),

  script('much copy data', async (s) => {
    await s.query('CREATE TEMP TABLE c (id int, v text)');
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i}\t${'v'.repeat(i % 200)}\n`).join('');
    const chunks: string[] = [];
    for (let at = 0; at < rows.length; at += 8191) chunks.push(rows.slice(at, at + 8191));
    await s.query('COPY c FROM STDIN', chunks);
    await s.query('COPY c FROM STDIN', [rows]);
    await s.query("SELECT count(*), sum(id), md5(string_agg(v, ',' ORDER BY id)) FROM c");
    await s.query('COPY (SELECT * FROM c ORDER BY id, v) TO STDOUT');
    await s.query('COPY (SELECT * FROM c ORDER BY id, v) TO STDOUT (FORMAT binary)');
    await s.query("COPY (SELECT repeat('x', 3000000)) TO STDOUT");
  }),
];
