/** Agents at work: every write carries a marker that stands in the statement or its parameters, so that it can be looked for at the target and in the log. */
import { connect as connectSocket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import copy from 'pg-copy-streams';
import { encodeBind, encodeExecute, encodeParse, encodePasswordMessage, encodeStartupPacket, encodeSync } from '@sallyport/wire-postgres';
import { connect, WRITERS } from './world.mjs';

const COPY_ROWS = 20;
const OPERATIONS_PER_SESSION = 12;
const RETRY_MS = 50;
const UNDER_WAY_OPERATIONS = 24;
const UNDER_WAY_MAX_MS = 15_000;

/** What one session does, until it has done enough or its connection ends. */
const KINDS = {
  async simple(client, mark) {
    await client.query(`INSERT INTO effects (marker) VALUES ('${mark()}')`);
  },
  async extended(client, mark) {
    await client.query('INSERT INTO effects (marker) VALUES ($1)', [mark()]);
  },
  async transaction(client, mark, random) {
    await client.query('BEGIN');
    await client.query('INSERT INTO effects (marker) VALUES ($1)', [mark()]);
    await client.query(`INSERT INTO effects (marker) VALUES ('${mark()}'), ('${mark()}')`);
    await client.query('SELECT count(*) FROM effects');
    await client.query(random.next() < 0.8 ? 'COMMIT' : 'ROLLBACK');
  },
  async several(client, mark) {
    await client.query(`INSERT INTO effects (marker) VALUES ('${mark()}'); SELECT 1; INSERT INTO effects (marker) VALUES ('${mark()}')`);
  },
  async copy(client, mark) {
    const marker = mark();
    const rows = Readable.from(Array.from({ length: COPY_ROWS }, () => `${marker}\n`));
    await pipeline(rows, client.query(copy.from(`COPY effects (marker) FROM STDIN /* ${marker} */`)));
  },
  async read(client, mark, _random, seen) {
    const marker = mark();
    const { rows } = await client.query(`SELECT '${marker}' AS marker, count(*) FROM effects`);
    seen.add(rows[0].marker);
  },
};

/**
 * Starts agents; `stop()` lets each finish what it does.
 * @param {{ agents?: number, operations?: number, tag: string }} options
 */
export function startLoad(world, random, { agents = 8, operations = OPERATIONS_PER_SESSION, tag }) {
  const load = { sent: 0, sessions: 0, refused: new Map(), seen: new Set(), running: true };
  let count = 0;
  const mark = () => `m-${tag}-${++count}-`;
  const kinds = [...Object.keys(KINDS), 'pipelined'];
  const work = Array.from({ length: agents }, async (_, n) => {
    const mine = random.fork();
    const subject = WRITERS[n % WRITERS.length];
    while (load.running) {
      try {
        // Each kind has its agent; what is over goes on with any.
        const kind = n < kinds.length ? kinds[n] : mine.pick(kinds);
        if (kind === 'pipelined') await pipelined(world, subject, load, mark, operations);
        else await session(world, subject, load, operations, (client) => KINDS[kind](client, mark, mine, load.seen));
      } catch (error) {
        load.refused.set(error.code ?? error.message, (load.refused.get(error.code ?? error.message) ?? 0) + 1);
        await sleep(RETRY_MS);
      }
    }
  });
  return {
    stats: load,
    /** Until it has done so much, or after so long on a slow machine. */
    async underWay(sent = UNDER_WAY_OPERATIONS, timeoutMs = UNDER_WAY_MAX_MS) {
      for (const end = Date.now() + timeoutMs; load.sent < sent && Date.now() < end;) await sleep(10);
    },
    async stop() {
      load.running = false;
      await Promise.all(work);
      return load;
    },
  };
}

async function session(world, subject, load, operations, work) {
  const client = await connect(world, subject);
  load.sessions++;
  try {
    for (let n = 0; n < operations && load.running; n++) {
      await Promise.race([work(client), client.ended.then((error) => Promise.reject(error ?? new Error('ended')))]);
      load.sent++;
    }
  } finally {
    await Promise.race([client.end().catch(() => undefined), client.ended]);
  }
}

/** Four statements ahead of their answers, one Sync behind them. */
async function pipelined(world, subject, load, mark, operations) {
  const socket = connectSocket(world.up.port, world.up.host);
  socket.on('error', () => socket.destroy());
  const answers = readFrames(socket);
  const untilReady = async () => {
    for await (const { type, body } of answers) {
      if (type === 'E') throw Object.assign(new Error('refused'), { code: /\0C(.{5})\0/.exec(body.toString('latin1'))?.[1] ?? 'error' });
      if (type === 'R' && body.readInt32BE(0) === 3)
        socket.write(encodePasswordMessage({ kind: 'passwordMessage', password: world.up.tokens[subject] }));
      if (type === 'Z') return;
    }
    throw new Error('ended');
  };
  try {
    socket.write(
      encodeStartupPacket({
        kind: 'startupMessage',
        protocol: { major: 3, minor: 0 },
        parameters: new Map([
          ['user', subject],
          ['database', 'shop'],
        ]),
      }),
    );
    await untilReady();
    load.sessions++;
    for (let n = 0; n < operations && load.running; n += 4) {
      socket.write(Buffer.concat([...Array.from({ length: 4 }, () => insert(mark())).flat(), encodeSync({ kind: 'sync' })]));
      await untilReady();
      load.sent += 4;
    }
    socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
  } finally {
    socket.destroySoon();
  }
}

function insert(marker) {
  return [
    encodeParse({ kind: 'parse', statement: '', sql: Buffer.from('INSERT INTO effects (marker) VALUES ($1)'), parameterTypes: [] }),
    encodeBind({ kind: 'bind', portal: '', statement: '', parameterFormats: [], parameters: [Buffer.from(marker)], resultFormats: [] }),
    encodeExecute({ kind: 'execute', portal: '', maxRows: 0 }),
  ];
}

async function* frames(socket) {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 1 + rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1);
      yield { type: String.fromCharCode(rest[0]), body: rest.subarray(5, end) };
      rest = rest.subarray(end);
    }
  }
}

/** One iterator over all of a connection: leaving a loop doesn't end it. */
function readFrames(socket) {
  const iterator = frames(socket);
  return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
}
