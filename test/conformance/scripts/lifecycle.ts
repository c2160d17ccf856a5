import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionCall, encodeQuery } from '@sallyport/wire-postgres';
import { type Route, Session } from '../driver/session.js';
import { ask, bind, describePortal, execute, frame, parse, type Script, script, sync, together } from './script.js';

const ERROR = 0x45;
const NOTIFICATION = 0x41;

/** Waits until the server shows a backend of this session in that wait, so that what follows finds it there. */
async function untilWaiting(
  session: Session,
  target: { query(text: string, values: unknown[]): Promise<{ rowCount: number | null }> },
  event: string,
): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const { rowCount } = await target.query('SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = $2', [
      session.connection.processId,
      event,
    ]);
    if (rowCount === 1) return;
    await sleep(25);
  }
  throw new Error(`nobody waits for ${event}`);
}

/** Startup packets of all kinds: what the server says to them. */
const starts: readonly (readonly [string, Parameters<typeof script>[2]])[] = [
  ['protocol 3.2', { minor: 2 }],
  ['a protocol of the future', { minor: 9 }],
  ['a protocol option nobody knows', { parameters: { '_pq_.nothing': '1' } }],
  ['settings', { parameters: { application_name: 'corpus', DateStyle: 'German', TimeZone: 'Asia/Tokyo', search_path: 'pg_catalog' } }],
  ['options', { parameters: { options: '-c work_mem=5MB --statement-timeout=30s -c search_path=a\\ b' } }],
  ['a setting nobody knows', { parameters: { nowhere: '1' } }],
  ['a bad value', { parameters: { work_mem: 'lots' } }],
  ['a bad option', { parameters: { options: '-c nowhere=1' } }],
  ['a setting for superusers', { parameters: { log_statement: 'all' } }],
  ['a setting of the postmaster', { parameters: { port: '1' } }],
  ['a long application_name', { parameters: { application_name: `${'a'.repeat(100)}☂` } }],
  ['LATIN1', { parameters: { client_encoding: 'LATIN1' } }],
  ['an encoding nobody knows', { parameters: { client_encoding: 'nothing' } }],
  ['a custom setting', { parameters: { 'my.setting': 'x' } }],
  ['read only', { parameters: { default_transaction_read_only: 'on' } }],
];

/** Sign-in, cancel requests, what others do to a session, and how it ends. */
export const LIFECYCLE: readonly Script[] = [
  ...starts.map(([name, options]) =>
    script(
      `start: ${name}`,
      async (s) => {
        for (const setting of ['application_name', 'work_mem', 'statement_timeout', 'search_path', 'TimeZone', 'client_encoding'])
          await s.query(`SHOW ${setting}`);
        await s.query("SELECT current_setting('my.setting', true)");
        await s.query('CREATE TEMP TABLE t AS SELECT 1');
      },
      options,
    ),
  ),

  script('process id', async (s) => {
    s.connection.send(encodeQuery({ kind: 'query', sql: Buffer.from(`SELECT pg_backend_pid() = ${s.connection.processId} AS same`) }));
    await s.send('the key names the process', [], 1);
  }),

  script(
    'latin1',
    async (s) => {
      const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
      await s.query(latin1("SELECT 'caf\xe9' AS \"\xe9\", length('\xe9')"));
      await s.query(latin1('SELECT "\xe9" FROM people'));
      await s.send('extended', [parse(latin1("SELECT $1::text || '\xe9'")), bind([latin1('\xe8')]), describePortal(), execute(), sync], 1);
      await s.query('SELECT chr(9730)');
      await s.query('SELECT name FROM people ORDER BY id');
      await s.query(latin1("INSERT INTO counted (n) VALUES (1) RETURNING '\xfc'"));
      await s.query('DELETE FROM counted');
      await s.query("SET client_encoding = 'UTF8'");
      await s.query("SELECT 'é'");
    },
    { parameters: { client_encoding: 'LATIN1' } },
  ),

  script('not UTF-8', async (s) => {
    await s.query(Buffer.concat([Buffer.from("SELECT '"), Buffer.from([0xff]), Buffer.from("'")]));
    await s.send('extended', [parse(Buffer.concat([Buffer.from("SELECT '"), Buffer.from([0xc3, 0x28]), Buffer.from("'")])), sync], 1);
    await s.query('SELECT 1');
  }),

  script('cancel', async (s, target) => {
    await s.send('sleep', [encodeQuery({ kind: 'query', sql: Buffer.from('SELECT pg_sleep(30)') })], 0);
    await untilWaiting(s, target, 'PgSleep');
    await s.cancel();
    await s.send('cancelled', [], 1);
    await s.query('SELECT 1');
    await s.query('BEGIN');
    await s.send('sleep in a transaction', [...ask('SELECT pg_sleep(30)'), ...ask('SELECT 2'), sync], 0);
    await untilWaiting(s, target, 'PgSleep');
    await s.cancel();
    await s.send('cancelled', [], 1);
    await s.query('SELECT 3');
    await s.query('ROLLBACK');
    await s.send('sleep a little', [encodeQuery({ kind: 'query', sql: Buffer.from('SELECT pg_sleep(1)') })], 0);
    await untilWaiting(s, target, 'PgSleep');
    await s.cancel(Buffer.alloc(s.connection.secret.length));
    await s.send('not cancelled by a wrong key', [], 1);
    await s.send('a cursor', [...ask('SELECT 4'), sync], 1);
  }),

  script(
    'cancel with a long key',
    async (s, target) => {
      await s.send('sleep', [encodeQuery({ kind: 'query', sql: Buffer.from('SELECT pg_sleep(30)') })], 0);
      await untilWaiting(s, target, 'PgSleep');
      await s.cancel();
      await s.send('cancelled', [], 1);
    },
    { minor: 2 },
  ),

  script('statement_timeout', async (s) => {
    await s.query("SET statement_timeout = '50ms'");
    await s.query('SELECT pg_sleep(10)');
    await s.query('BEGIN; SELECT pg_sleep(10); COMMIT');
    await s.query('ROLLBACK');
    await s.send('extended', [...ask('SELECT pg_sleep(10)'), ...ask('SELECT 1'), sync], 1);
  }),

  script('ended by an administrator', async (s, target) => {
    await s.query('SELECT 1');
    await target.query('SELECT pg_terminate_backend($1)', [s.connection.processId]);
    await s.until([ERROR]);
    await s.query('SELECT 2');
  }),

  script('ended while it runs', async (s, target) => {
    await s.send('sleep', [encodeQuery({ kind: 'query', sql: Buffer.from('SELECT pg_sleep(30)') })], 0);
    await untilWaiting(s, target, 'PgSleep');
    await target.query('SELECT pg_terminate_backend($1)', [s.connection.processId]);
    await s.send('ended', [], 1);
  }),

  script('ended by itself', async (s) => {
    await s.query('SELECT pg_terminate_backend(pg_backend_pid())');
  }),

  script('idle_session_timeout', async (s) => {
    await s.query("SET idle_session_timeout = '50ms'");
    await s.until([ERROR]);
    await s.query('SELECT 1');
  }),

  script('idle_in_transaction_session_timeout', async (s) => {
    await s.query("SET idle_in_transaction_session_timeout = '50ms'");
    await s.query('BEGIN');
    await s.until([ERROR]);
    await s.query('SELECT 1');
  }),

  together('notifications', 2, async ([one, two]) => {
    await one!.query('LISTEN news');
    await two!.query("NOTIFY news, 'first'");
    await one!.until([NOTIFICATION]);
    await two!.query('BEGIN');
    await two!.query("NOTIFY news, 'second'");
    await two!.query("SELECT pg_notify('news', 'third ☂')");
    await two!.query('COMMIT');
    await one!.until([NOTIFICATION]);
    await one!.until([NOTIFICATION]);
    await one!.query("NOTIFY news, 'own'");
    await one!.send('extended', [...ask("NOTIFY news, 'own again'"), sync], 1);
    await one!.query('UNLISTEN news');
  }),

  together('locks', 2, async ([one, two]) => {
    await one!.query('BEGIN');
    await one!.query('SELECT n FROM numbers WHERE n = 1 FOR UPDATE');
    await two!.query("SET lock_timeout = '50ms'");
    await two!.query('SELECT n FROM numbers WHERE n = 1 FOR UPDATE');
    await two!.query('SELECT n FROM numbers WHERE n = 1 FOR UPDATE NOWAIT');
    await two!.query('SELECT n FROM numbers WHERE n IN (1, 2) FOR UPDATE SKIP LOCKED');
    await two!.query('SELECT pg_try_advisory_lock(7)');
    await one!.query('SELECT pg_try_advisory_lock(7)');
    await two!.query('SELECT pg_advisory_unlock(7)');
    await one!.query('ROLLBACK');
  }),

  together('serialization', 2, async ([one, two]) => {
    for (const each of [one!, two!]) await each.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    for (const each of [one!, two!]) await each.query('SELECT square FROM numbers WHERE n = 3');
    await one!.query('UPDATE numbers SET square = 9 WHERE n = 3');
    await one!.query('COMMIT');
    await two!.query('UPDATE numbers SET square = 9 WHERE n = 3');
    await two!.query('SELECT 1');
    await two!.query('COMMIT');
  }),

  script('a message nobody knows', async (s) => {
    await s.send('type !', [frame('!')], 1);
    await s.query('SELECT 1');
  }),

  script('a length that can not be', async (s) => {
    await s.send('length 3', [frame('Q', Buffer.alloc(0), 3)], 1);
  }),

  script('a query without its end', async (s) => {
    await s.send('no NUL', [frame('Q', Buffer.from('SELECT 1'))], 1);
    await s.query('SELECT 2');
  }),

  script('a query with two ends', async (s) => {
    await s.send('a NUL inside', [frame('Q', Buffer.from('SELECT 1\0; SELECT 2\0'))], 1);
    await s.query('SELECT 2');
  }),

  script('a Bind that is cut', async (s) => {
    await s.send('cut', [parse('SELECT 1'), frame('B', Buffer.from('\0\0\0')), sync], 1);
    await s.query('SELECT 2');
  }),

  script('a password out of place', async (s) => {
    await s.send('password', [frame('p', Buffer.from('x\0'))], 1);
    await s.query('SELECT 2');
  }),

  script('a function call', async (s) => {
    const call = encodeFunctionCall({
      kind: 'functionCall',
      functionOid: 1397,
      argumentFormats: [0],
      arguments: [Buffer.from('-5')],
      resultFormat: 0,
    });
    await s.send('abs(-5)', [call], 1);
    await s.query('SELECT 1');
  }),

  script('strings of the old kind', async (s) => {
    await s.query('SET standard_conforming_strings = off');
    await s.query("SELECT 'a\\'b'");
  }),

  script(
    'replication',
    async (s) => {
      await s.query('IDENTIFY_SYSTEM');
    },
    { parameters: { replication: 'database' } },
  ),

  script('goodbye in the middle', async (s) => {
    await s.query('BEGIN');
    await s.query('INSERT INTO counted (n, unique_n) VALUES (1, 900)');
  }),

  {
    name: 'what goodbye left',
    run: async (route: Route, target) => {
      const session = await Session.open(route);
      await session.query('SELECT count(*) FROM counted WHERE unique_n = 900');
      await session.query("SET application_name = 'last'");
      session.connection.send(encodeQuery({ kind: 'query', sql: Buffer.from('INSERT INTO counted (n, unique_n) VALUES (1, 901)') }));
      await session.close();
      for (let i = 0; i < 100; i++) {
        const { rows } = await target.query('SELECT count(*)::int AS n FROM counted WHERE unique_n = 901', [], 'corpus');
        if (rows[0].n === 1) return [...session.transcript.end(), 'what was sent before goodbye was done'];
        await sleep(50);
      }
      return [...session.transcript.end(), 'what was sent before goodbye was not done'];
    },
  },
];
