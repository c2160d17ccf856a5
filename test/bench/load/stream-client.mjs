/* Child of stream.mjs: signs in, asks each connection for its part of the table, and prints when it began, when it ended and how many rows came. */
import pg from 'pg';

const { clients, rows, ...address } = JSON.parse(process.argv[2]);
/** `ReadyForQuery`, idle: the last message of an answer. No row of the table ends like it. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const KEPT_BYTES = 64;

const connections = await Promise.all(
  Array.from({ length: clients }, async () => {
    const client = new pg.Client({ ...address, password: process.env.PGPASSWORD });
    // That the connection ends is no news to us; pg takes it for a failure.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }),
);
const fromMs = Date.now();
const counts = await Promise.all(connections.map((client, i) => read(client, (i * rows) / clients, ((i + 1) * rows) / clients)));
const toMs = Date.now();
process.stdout.write(JSON.stringify({ fromMs, toMs, rows: counts.reduce((sum, count) => sum + count, 0) }));
for (const { connection } of connections) connection.stream.end();

/** From here on the socket is ours: pg would make an object of each row. */
function read({ connection: { stream } }, from, to) {
  return new Promise((resolve, reject) => {
    let tail = Buffer.alloc(0);
    stream.removeAllListeners('data').on('data', (chunk) => {
      tail = chunk.length >= KEPT_BYTES ? chunk.subarray(-KEPT_BYTES) : Buffer.concat([tail, chunk]).subarray(-KEPT_BYTES);
      if (!tail.subarray(-READY.length).equals(READY)) return;
      const tag = /SELECT (\d+)\0Z/.exec(tail.toString('latin1'));
      if (tag) resolve(Number(tag[1]));
      else reject(new Error('the answer was an error'));
    });
    stream.once('close', () => reject(new Error('the connection was closed')));
    const sql = Buffer.from(`select id, name, email, note from people where id > ${from} and id <= ${to}\0`);
    const query = Buffer.alloc(5 + sql.length, 'Q');
    query.writeInt32BE(4 + sql.length, 1);
    sql.copy(query, 5);
    stream.write(query);
  });
}
