/** What node-postgres gets, as JSON lines. Usage: node scenario.mjs DSN */
import pg from 'pg';

const say = (what, value) => process.stdout.write(`${JSON.stringify([what, value])}\n`);
const errorOf = ({
  name,
  message,
  severity,
  code,
  detail,
  hint,
  position,
  where,
  schema,
  table,
  column,
  dataType,
  constraint,
  file,
  line,
  routine,
}) => ({ name, message, severity, code, detail, hint, position, where, schema, table, column, dataType, constraint, file, line, routine });
const client = new pg.Client({ connectionString: process.argv[2] });
client.on('notice', (notice) => say('notice', errorOf(notice)));
client.on('notification', ({ channel, payload, processId }) =>
  say('notification', { channel, payload, self: processId === client.processID }),
);
client.on('error', (error) => say('connection error', error.message));
await client.connect();

async function ask(text, values) {
  try {
    const result = await client.query(typeof text === 'string' ? { text, ...(values ? { values } : {}) } : text);
    for (const { command, rowCount, rows, fields } of [result].flat())
      say(text.text ?? text, {
        command,
        rowCount,
        rows,
        fields: fields.map(({ name, dataTypeID, dataTypeSize, format }) => [
          name,
          dataTypeID < 16384 ? dataTypeID : 'own',
          dataTypeSize,
          format,
        ]),
      });
  } catch (error) {
    say(text.text ?? text, errorOf(error));
  }
}

await ask('SELECT 1 AS one, $1::text AS two', ['x']);
await ask('SELECT * FROM people ORDER BY id');
await ask('SELECT 1; SELECT 2, 3; SELECT 1/0; SELECT 4');
await ask('SELECT nowhere');
await ask('SELEC 1');
await ask('SELECT $1::int', ['x']);
await ask('SELECT $1::jsonb, $2::timestamptz, $3::int[]', [{ a: 1 }, new Date(0), [1, 2]]);
await ask({ name: 'named', text: 'SELECT n FROM numbers WHERE n < $1 ORDER BY n', values: [4] });
await ask({ name: 'named', text: 'SELECT n FROM numbers WHERE n < $1 ORDER BY n', values: [3] });
await ask({ text: 'SELECT n FROM numbers ORDER BY n', rowMode: 'array', rows: 5, values: [] });
await ask('BEGIN');
await ask('INSERT INTO counted (n, unique_n) VALUES ($1, $2) RETURNING n', [1, 1]);
await ask('INSERT INTO counted (n, unique_n) VALUES ($1, $2)', [1, 1]);
await ask('SELECT 1');
await ask('ROLLBACK');
await ask('INSERT INTO people VALUES (1, $1)', ['again']);
await ask('SELECT notices(2)');
await ask("SELECT fails('ZZ123', 'raised ☂')");
await ask('');
await ask('-- nothing');
await ask('LISTEN news');
await ask("NOTIFY news, 'hello'");
await Promise.all([ask('SELECT 10'), ask('SELECT 1/0'), ask('SELECT $1::int', [11]), ask('SELECT 12')]);
await ask('SELECT $1::bytea AS b', [Buffer.from([0, 1, 255])]);
await ask("SELECT length(repeat('x', 1000000)), repeat('y', 100000) AS y");
await ask('SELECT pg_backend_pid() = $1 AS same', [client.processID]);
await ask("SET statement_timeout = '50ms'");
await ask('SELECT pg_sleep(5)');
await ask('SELECT pg_terminate_backend(pg_backend_pid())');
await ask('SELECT 1');
