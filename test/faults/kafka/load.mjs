/**
 * Agents at work, as clients with a list of hosts: whose session ends goes to the other edge. Every operation carries a marker of its own,
 * and what the client was told of it goes into the world's ledger.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, STRICT, WRITERS } from './world.mjs';

const CLIENTS = 8;
const OPERATIONS_PER_SESSION = 25;
const RETRY_MS = 50;
/** What holds after a scenario is looked for in all that was ever said: no more of it than a fault needs. */
const PAUSE_MS = 15;
const ANSWER_TIMEOUT_MS = 30_000;

/** One operation each: what is sent, how many rows a marker makes, and the marker that came back of a read. */
const KINDS = {
  simple: (marker) => ({ statement: `INSERT INTO effects (marker) VALUES ('${marker}')`, effects: 1 }),
  extended: (marker) => ({ statement: 'INSERT INTO effects (marker) VALUES ($1)', values: [marker], effects: 1 }),
  several: (marker) => ({ statement: `INSERT INTO effects (marker) VALUES ('${marker}'), ('${marker}')`, effects: 2 }),
  read: (marker) => ({ statement: `SELECT '${marker}' AS marker, count(*) FROM effects`, effects: 0 }),
};

/**
 * @typedef {object} ClientError
 * @property {string} code  SQLSTATE, or what the socket said.  @property {string} message
 * @property {string} edge  @property {'sign-in' | 'operation' | 'session'} at  @property {number} timeMs
 */

/**
 * Starts agents; `stop()` lets each finish what it does.
 * @param {{ clients?: number, operations?: number, tag: string, edges?: string[], resources?: string[], pauseMs?: number }} options
 *   `pauseMs`: between two operations of one agent.
 */
export function startLoad(world, random, options) {
  const { clients = CLIENTS, operations = OPERATIONS_PER_SESSION, tag, resources = [STRICT], pauseMs = PAUSE_MS } = options;
  const edges = options.edges ?? world.fleet.of('edge').map(({ key }) => key);
  const { ledger } = world;
  /** @type {{ sent: number, acknowledged: number, sessions: number, errors: ClientError[], running: boolean }} */
  const load = { sent: 0, acknowledged: 0, sessions: 0, errors: [], running: true };
  let count = 0;

  const one = async (client, mine, edge, resource) => {
    const marker = `m-${tag}-${++count}-`;
    const kind = mine.pick(Object.keys(KINDS));
    const { statement, values, effects } = KINDS[kind](marker);
    load.sent++;
    ledger.unknown.add(marker);
    const answer = client.query(statement, values);
    answer.catch(() => undefined);
    try {
      const { rows } = await Promise.race([
        answer,
        client.ended.then((error) => Promise.reject(Object.assign(error ?? new Error('ended'), { isEnd: true }))),
        sleep(ANSWER_TIMEOUT_MS).then(() => Promise.reject(new Error('no answer'))),
      ]);
      if (kind === 'read' && rows[0]?.marker !== marker) throw new Error(`a read of ${marker} showed something else`);
      ledger.acknowledged.set(marker, { kind, effects, resource, edge, timeMs: Date.now() });
      load.acknowledged++;
    } catch (error) {
      // Refused in a session that goes on: it has not happened.
      if (error.severity !== 'ERROR') throw Object.assign(error, { at: 'operation' });
      ledger.refused.set(marker, error.code);
      note(error, edge, 'operation');
      await sleep(RETRY_MS);
    }
    ledger.unknown.delete(marker);
  };

  const note = (error, edge, at) =>
    load.errors.push({ code: error.code ?? error.message, message: error.message, edge, at, timeMs: Date.now() });

  const work = Array.from({ length: clients }, async (_, n) => {
    const mine = random.fork();
    const subject = WRITERS[n % WRITERS.length];
    const resource = resources[n % resources.length];
    for (let turn = n; load.running;) {
      const edge = edges[turn % edges.length];
      let client;
      try {
        client = await connect(world, subject, { edge, resource });
      } catch (error) {
        note(error, edge, 'sign-in');
        turn++;
        await sleep(RETRY_MS);
        continue;
      }
      load.sessions++;
      try {
        for (let done = 0; done < operations && load.running; done++) {
          await one(client, mine, edge, resource);
          if (pauseMs > 0) await sleep(pauseMs);
        }
      } catch (error) {
        note(error, edge, error.at ?? 'session');
        turn++;
        await sleep(RETRY_MS);
      } finally {
        await Promise.race([client.end().catch(() => undefined), client.ended, sleep(2000)]);
      }
    }
  });
  return {
    stats: load,
    /** Until so much more is acknowledged. */
    async underWay(more = 24, timeoutMs = 30_000) {
      const wanted = load.acknowledged + more;
      for (const end = Date.now() + timeoutMs; load.acknowledged < wanted; await sleep(10)) {
        if (Date.now() > end) throw new Error(`the load does not get on: ${JSON.stringify(summary(load))}`);
      }
    },
    async stop() {
      load.running = false;
      await Promise.all(work);
      return load;
    },
  };
}

/** Counts, and each kind of error once. */
export function summary({ sent, acknowledged, sessions, errors }) {
  const kinds = {};
  for (const { code, at } of errors) kinds[`${at} ${code}`] = (kinds[`${at} ${code}`] ?? 0) + 1;
  return { sent, acknowledged, sessions, errors: kinds };
}
