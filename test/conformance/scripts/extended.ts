import {
  ask,
  bind,
  closePortal,
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  script,
  sync,
} from './script.js';

const INSERT = 'INSERT INTO counted (n, unique_n) VALUES (1, $1) RETURNING unique_n';

/** Pipelines, portals and names of the extended protocol. */
export const EXTENDED = [
  script('pipelines', async (s) => {
    await s.send('three in one', [...ask('SELECT 1'), ...ask('SELECT $1::text', ['x']), ...ask('SELECT 3'), sync], 1);
    await s.send('three with a Sync each', [...ask('SELECT 1'), sync, ...ask('SELECT 2'), sync, ...ask('SELECT 3'), sync], 3);
    await s.send('an error in the middle', [...ask('SELECT 1'), ...ask('SELECT 1/0'), ...ask('SELECT 3'), sync], 1);
    await s.send('an error, then a Sync, then more', [...ask('SELECT nowhere'), ...ask('SELECT 2'), sync, ...ask('SELECT 3'), sync], 2);
    await s.send(
      'an error in each',
      [...ask('SELEC'), sync, ...ask('SELECT 1/0'), sync, ...ask('SELECT nowhere'), sync, ...ask('SELECT 4'), sync],
      4,
    );
    await s.send(
      'an error at Bind',
      [parse('SELECT $1::int', 'b'), bind(['x'], { statement: 'b' }), execute(), sync, closeStatement('b'), sync],
      2,
    );
    await s.send(
      'writes up to an error',
      [...ask(INSERT, ['1']), ...ask(INSERT, ['2']), ...ask(INSERT, ['1']), ...ask(INSERT, ['3']), sync],
      1,
    );
    await s.query('SELECT unique_n FROM counted ORDER BY 1');
    await s.send('writes with a Sync each', [...ask(INSERT, ['1']), sync, ...ask(INSERT, ['1']), sync, ...ask(INSERT, ['2']), sync], 3);
    await s.query('SELECT unique_n FROM counted ORDER BY 1');
    await s.send('a transaction in a pipeline', [...ask('BEGIN'), ...ask(INSERT, ['5']), ...ask('COMMIT'), sync], 1);
    await s.send(
      'one that fails',
      [
        ...ask('BEGIN'),
        sync,
        ...ask(INSERT, ['6']),
        sync,
        ...ask(INSERT, ['6']),
        sync,
        ...ask(INSERT, ['7']),
        sync,
        ...ask('COMMIT'),
        sync,
      ],
      5,
    );
    await s.query('SELECT unique_n FROM counted ORDER BY 1');
    await s.send(
      'savepoints',
      [
        ...ask('BEGIN'),
        ...ask('SAVEPOINT a'),
        ...ask('SELECT 1/0'),
        sync,
        ...ask('ROLLBACK TO a'),
        ...ask('SELECT 2'),
        ...ask('COMMIT'),
        sync,
      ],
      2,
    );
    await s.send('simple queries in between', [...ask('SELECT 1'), sync, ...ask('SELECT 2'), sync], 2);
    await s.query('DELETE FROM counted');
    const many = Array.from({ length: 500 }, (_, i) => ask(i % 50 === 7 ? 'SELECT 1/0' : `SELECT ${i}`)).flatMap((one) => [...one, sync]);
    await s.send('five hundred', many, 500);
    await s.send(
      'five hundred with one Sync',
      [...Array.from({ length: 500 }, (_, i) => ask('SELECT $1::int', [String(i)])).flat(), sync],
      1,
    );
    await s.send(
      'utility in a pipeline',
      [...ask('SET LOCAL work_mem = "5MB"'), ...ask('SHOW work_mem'), ...ask('VACUUM people'), sync],
      1,
    );
    await s.send('after the error', [...ask('SHOW work_mem'), sync], 1);
  }),

  script('errors that overtake', async (s) => {
    for (let i = 0; i < 60; i++) {
      await s.send(
        `${i}`,
        [
          parse('SELECT nowhere', `s${i}`),
          describeStatement(`s${i}`),
          bind([], { statement: `s${i}` }),
          describePortal(),
          execute(),
          sync,
          ...ask(`SELECT ${i}`),
          sync,
        ],
        2,
      );
    }
  }),

  script('flush', async (s) => {
    await s.send('parse and flush', [parse('SELECT $1::int + 1', 'f'), describeStatement('f'), flush], 0);
    await s.until([0x54]);
    await s.send('bind, execute and flush', [bind(['41'], { statement: 'f' }), execute(), flush], 0);
    await s.until([0x43]);
    await s.send('again', [bind(['x'], { statement: 'f' }), execute(), flush], 0);
    await s.until([0x45]);
    await s.send('ignored', [bind(['1'], { statement: 'f' }), execute(), flush], 0);
    await s.send('sync', [sync], 1);
    await s.send('syncs', [sync, sync, sync], 3);
  }),

  script('portals', async (s) => {
    await s.query('BEGIN');
    const of = (sql: string, portal: string) => [parse(sql), bind([], { portal }), describePortal(portal)];
    await s.send('three rows', [...of('SELECT n FROM numbers ORDER BY n', 'p'), execute('p', 3), sync], 1);
    await s.send('two more', [execute('p', 2), sync], 1);
    await s.send(
      'another meanwhile',
      [...of('SELECT name FROM people ORDER BY id', 'q'), execute('q', 1), execute('p', 1), execute('q', 1), sync],
      1,
    );
    await s.send('the rest', [execute('p', 0), sync], 1);
    await s.send('nothing left', [execute('p', 0), execute('p', 1), sync], 1);
    await s.send('exactly as many', [...of('SELECT 1 UNION ALL SELECT 2', 'e'), execute('e', 2), execute('e', 2), sync], 1);
    await s.send('by SQL', [...ask('FETCH 1 FROM q'), ...ask('MOVE 1 FROM q'), ...ask('CLOSE q'), sync], 1);
    await s.send('it is closed', [execute('q', 1), sync], 1);
    await s.query('ROLLBACK');
    await s.query('BEGIN');
    await s.query('DECLARE c CURSOR FOR SELECT n FROM numbers ORDER BY n');
    await s.send('a cursor as a portal', [describePortal('c'), execute('c', 2), sync], 1);
    await s.send('close it', [closePortal('c'), execute('c', 2), sync], 1);
    await s.query('ROLLBACK');
    await s.send(
      'writes that return',
      [parse('UPDATE numbers SET square = square WHERE n < 4 RETURNING n'), bind(), execute('', 1), execute('', 1), execute('', 0), sync],
      1,
    );
    await s.send(
      'outside a transaction',
      [...of('SELECT n FROM numbers ORDER BY n', 'o'), execute('o', 1), sync, execute('o', 1), sync],
      2,
    );
    await s.send('the unnamed one', [parse('SELECT 1'), bind(), sync, execute(), sync], 2);
    await s.send('the same name again', [...of('SELECT 1', 'd'), bind([], { portal: 'd' }), sync], 1);
    await s.send('twice executed', [parse('INSERT INTO counted (n) VALUES (3)'), bind(), execute(), execute(), sync], 1);
    await s.query('DELETE FROM counted');
    await s.send('an empty one', [parse(''), bind(), describePortal(), execute(), sync], 1);
    await s.send('only a comment', [parse('-- nothing'), describeStatement(), bind(), describePortal(), execute(), sync], 1);
    await s.send(
      'an error far into it',
      [parse('SELECT 1 / (n - 5) FROM numbers ORDER BY n'), bind(), execute('', 2), execute('', 2), execute('', 2), sync],
      1,
    );
  }),

  script('names', async (s) => {
    await s.send('a name', [parse('SELECT 1', 'a'), sync], 1);
    await s.send('again', [parse('SELECT 2', 'a'), sync], 1);
    await s.send('it is the first', [bind([], { statement: 'a' }), execute(), sync], 1);
    await s.send('clash and use in one', [parse('SELECT 3', 'a'), bind([], { statement: 'a' }), execute(), sync], 1);
    await s.send('close and again', [closeStatement('a'), parse('SELECT 4', 'a'), bind([], { statement: 'a' }), execute(), sync], 1);
    await s.send('nobody’s', [describeStatement('nobody'), sync, describePortal('nobody'), sync, execute('nobody'), sync], 3);
    await s.send('close nobody’s', [closeStatement('nobody'), closePortal('nobody'), sync], 1);
    await s.send('bind nobody’s', [bind([], { statement: 'nobody' }), execute(), sync], 1);
    await s.send('bind the unnamed one that is not there', [closeStatement(), bind(), execute(), sync], 1);
    await s.query('EXECUTE a');
    await s.query('DEALLOCATE a');
    await s.send('gone', [bind([], { statement: 'a' }), sync], 1);
    await s.query('PREPARE sqls (int) AS SELECT $1 + 1');
    await s.send('by the protocol', [describeStatement('sqls'), bind(['41'], { statement: 'sqls' }), execute(), sync], 1);
    await s.send('closed by the protocol', [closeStatement('sqls'), sync], 1);
    await s.query('EXECUTE sqls(1)');
    for (let i = 0; i < 20; i++) await s.query('PREPARE twice AS SELECT 1');
    await s.query('EXECUTE twice');
    for (let i = 0; i < 20; i++) await s.send('the same name', [parse('SELECT 5', 'same'), sync], 1);
    await s.send(
      'deallocate all in a pipeline',
      [...ask('DEALLOCATE ALL'), parse('SELECT 6', 'after'), bind([], { statement: 'after' }), execute(), sync],
      1,
    );
    await s.send('it is there', [bind([], { statement: 'after' }), execute(), sync], 1);
    await s.send('the unnamed one is replaced', [parse('SELECT 7'), parse('SELECT 8'), bind(), execute(), sync], 1);
    await s.query('SELECT 9');
    await s.send('and dropped by a simple query', [bind(), execute(), sync], 1);
    await s.send(
      'a long name ☂',
      [parse('SELECT 10', 'n'.repeat(200)), bind([], { statement: 'n'.repeat(200), portal: '☂' }), execute('☂'), sync],
      1,
    );
    await s.query('DISCARD ALL');
    await s.send('all gone', [bind([], { statement: 'after' }), sync], 1);
    await s.send('after DDL', [parse('SELECT * FROM people WHERE id = 1', 'star'), bind([], { statement: 'star' }), execute(), sync], 1);
    await s.query('ALTER TABLE people ADD COLUMN extra int');
    await s.send('the plan has changed', [bind([], { statement: 'star' }), execute(), sync], 1);
    await s.query('ALTER TABLE people DROP COLUMN extra');
  }),

  script('parameters', async (s) => {
    const int = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(value);
      return bytes;
    };
    await s.send(
      'binary',
      [
        parse('SELECT $1::int, $2::text, $3::bytea', ''),
        describeStatement(),
        bind([int(7), 'x', Buffer.from([0, 255])], { formats: [1, 0, 1], results: [1, 0, 1] }),
        execute(),
        sync,
      ],
      1,
    );
    await s.send(
      'all binary',
      [parse('SELECT $1::int + $2::int'), bind([int(1), int(2)], { formats: [1], results: [1] }), execute(), sync],
      1,
    );
    await s.send('too short', [parse('SELECT $1::int'), bind([Buffer.from([1])], { formats: [1] }), execute(), sync], 1);
    await s.send('too long', [parse('SELECT $1::int'), bind([Buffer.alloc(9)], { formats: [1] }), execute(), sync], 1);
    await s.send('not UTF-8', [parse('SELECT $1::text'), bind([Buffer.from([0xff, 0xfe])]), execute(), sync], 1);
    await s.send('a NUL inside', [parse('SELECT $1::text'), bind([Buffer.from('a\0b')]), execute(), sync], 1);
    await s.send('types declared', [parse('SELECT $1, $2', '', [23, 25]), describeStatement(), bind(['1', 'x']), execute(), sync], 1);
    await s.send('a type nobody has', [parse('SELECT $1', '', [99999]), sync], 1);
    await s.send(
      'wrong number of formats',
      [parse('SELECT $1::int, $2::int, $3::int'), bind(['1', '2', '3'], { formats: [0, 0] }), sync],
      1,
    );
    await s.send('wrong number of results', [parse('SELECT 1, 2, 3'), bind([], { results: [0, 1] }), execute(), sync], 1);
    await s.send('format 7', [parse('SELECT $1::int'), bind(['1'], { formats: [7] }), execute(), sync], 1);
    await s.send('nulls', [parse('SELECT $1::int, $2::text, $3::point3'), bind([null, null, null], { results: [1] }), execute(), sync], 1);
    await s.send('arrays', [parse('SELECT name FROM people WHERE id = ANY($1)'), describeStatement(), bind(['{1,2}']), execute(), sync], 1);
    await s.send(
      'many',
      [
        parse(`SELECT ${Array.from({ length: 500 }, (_, i) => `$${i + 1}::int`).join(' + ')}`),
        bind(Array.from({ length: 500 }, () => '1')),
        execute(),
        sync,
      ],
      1,
    );
    await s.send('utility', [parse('CREATE TABLE never (x int DEFAULT $1)'), sync], 1);
    await s.send('a composite', [parse('SELECT $1::point3, ($1::point3).y'), bind(['(1,2,"a b")']), execute(), sync], 1);
    await s.send(
      'domain and enum',
      [
        parse('SELECT $1::positive, $2::mood'),
        bind(['5', 'ok']),
        execute(),
        sync,
        parse('SELECT $1::positive'),
        bind(['-5']),
        execute(),
        sync,
      ],
      2,
    );
  }),
];
