import { cp, open, readdir, readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { Client, DatabaseError } from 'pg';
import type { Stage } from './stage.js';

/** One thing that was shown to hold. */
export interface Proof {
  readonly promise: string;
  readonly what: string;
}

/** Prints what happens, and collects what it proved. A check that fails ends the demo. */
export interface Narrator {
  step(title: string): void;
  say(text: string): void;
  proves(promise: string, what: string, holds: boolean): void;
}

export class DemoFailed extends Error {}

/** The main job on real input, in five steps. */
export async function play(stage: Stage, narrator: Narrator): Promise<void> {
  await maskedRead(stage, narrator);
  await refusedDelete(stage, narrator);
  await heldWrite(stage, narrator);
  const session = await closedSession(stage, narrator);
  await replayAndVerify(stage, narrator, session);
}

async function maskedRead(stage: Stage, { step, say, proves }: Narrator): Promise<void> {
  step('1 · An agent reads, with its OIDC token for a password');
  const agent = await stage.agent(stage.ready.tokens['agent-analyst']!, 'run:morning-report/agent:analyst/task:1');
  const { rows } = await agent.query<Record<string, string>>('SELECT name, email, card FROM customers ORDER BY id');
  for (const { name, email, card } of rows) say(`${name!.padEnd(15)} ${email!.padEnd(24)} ${card}`);
  const { rows: real } = await stage.atServer('SELECT email, card FROM customers');
  const delivered = JSON.stringify(rows);
  proves(
    'P5',
    'e-mail and card came back masked',
    rows.length === real.length && real.every(({ email, card }) => !delivered.includes(String(email)) && !delivered.includes(String(card))),
  );

  const around = [
    'SELECT upper(email) FROM customers',
    "SELECT name FROM customers WHERE email LIKE 'a%'",
    'SELECT c FROM customers c',
    'COPY customers TO STDOUT',
  ];
  const codes: string[] = [];
  for (const sql of around) codes.push(await codeOf(agent, sql));
  say(`ways around it (${around.length} tried): ${codes.join(', ')}`);
  proves(
    'P5',
    'no way around the mask: expression, filter, whole row, COPY',
    codes.every((code) => code === '42501'),
  );
  proves('P2', 'a token that is not one opens nothing', (await signInCode(stage, 'not-a-token')) === '28P01');

  const silent = createConnection({ host: '127.0.0.1', port: Number(stage.ready.listeners.postgres!.split(':').at(-1)) });
  silent.on('error', () => undefined);
  const { rows: one } = await agent.query<{ n: number }>('SELECT 1 AS n');
  proves('P9', 'a client that connects and stays silent delays nobody', one[0]?.n === 1);
  silent.destroy();
  await agent.end();
}

async function refusedDelete(stage: Stage, { step, say, proves }: Narrator): Promise<void> {
  step('2 · A DELETE without WHERE, inside a transaction');
  const crew = await stage.agent(stage.ready.tokens['crew-stock']!);
  await crew.query('BEGIN');
  await crew.query('SELECT count(*) FROM stock');
  const error = await errorOf(crew, 'DELETE FROM stock');
  say(`ERROR ${error?.code}: ${error?.message}`);
  say(`DETAIL: ${error?.detail}`);
  say(`HINT: ${error?.hint}`);
  const inFailed = await codeOf(crew, 'SELECT 1');
  const commit = await crew.query('COMMIT');
  const after = await crew.query<{ n: string }>('SELECT count(*) AS n FROM stock');
  say(`the next statement: ${inFailed}; COMMIT answers ${commit.command}; then the connection works as before`);
  const { rows } = await stage.atServer('SELECT count(*) AS n FROM stock');
  proves('P2', 'policy refused it, naming the rule', error?.code === '42501' && (error.detail ?? '').includes('write_without_where'));
  proves(
    'P8',
    'the transaction failed as after any Postgres error',
    inFailed === '25P02' && commit.command === 'ROLLBACK' && after.rows[0]?.n === '3',
  );
  proves('P2', 'nothing happened at the server', String(rows[0]?.n) === '3');
  await crew.end();
}

async function heldWrite(stage: Stage, { step, say, proves }: Narrator): Promise<void> {
  step('3 · A write that waits for a person');
  const { tokens } = stage.ready;
  const crew = await stage.agent(tokens['crew-stock']!, 'run:restock-7/agent:planner/task:2');
  const quantity = async (): Promise<number> =>
    Number((await stage.atServer('SELECT quantity FROM stock WHERE product_id = 2')).rows[0]?.quantity);
  const before = await quantity();
  const write = crew.query('UPDATE stock SET quantity = quantity + 20 WHERE product_id = 2');
  write.catch(() => undefined);
  const hold = await waitingHold(stage);
  say(`held: ${hold}`);
  const untouched = (await quantity()) === before;
  const own = await stage.sallyport(['approvals', 'grant', hold], tokens['crew-stock']);
  say(`the crew approves itself: exit ${own.code}, ${firstLine(own.stderr)}`);
  const given = await stage.sallyport(['approvals', 'grant', hold, '--comment', 'restocking for the weekend'], tokens.dana);
  say(`dana (dba) approves: exit ${given.code}`);
  const { rowCount } = await write;
  say(`UPDATE ${rowCount}: quantity ${before} → ${await quantity()}`);
  proves('P1', 'nothing ran at the server while it was held', untouched);
  proves('P2', 'the requester could not approve its own request', own.code === 1);
  proves('P2', 'approved by another principal, then run, once', given.code === 0 && rowCount === 1 && (await quantity()) === before + 20);
  await crew.end();
}

async function closedSession(stage: Stage, { step, say, proves }: Narrator): Promise<string> {
  step('4 · Sessions end, and their credentials with them');
  const agent = await stage.agent(stage.ready.tokens['agent-analyst']!);
  const role = (await agent.query<{ current_user: string }>('SELECT current_user')).rows[0]!.current_user;
  const lent = (await stage.atServer(`SELECT rolvaliduntil FROM pg_roles WHERE rolname = '${role}'`)).rows;
  say(`lent for this session: ${role}`);
  const running = codeOf(agent, 'SELECT pg_sleep(60)');
  await until(
    async () =>
      (
        await stage.atServer(
          "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
        )
      ).rows.length > 0,
  );
  const revoked = await stage.sallyport(['principals', 'revoke', 'agent-analyst', '--reason', 'demo']);
  const code = await running;
  const gone = await until(
    async () => (await stage.atServer(`SELECT 1 FROM pg_roles WHERE rolname LIKE 'sallyport\\_%'`)).rows.length === 0,
  );
  say(`agent-analyst revoked: its running statement ended (${code}), no role of Sallyport is left at the server`);
  proves('P10', 'revoking a principal ended its session and what it ran', revoked.code === 0 && code !== 'ok');
  proves(
    'P4',
    'each session had a role of its own with an end; all are gone',
    lent.length === 1 && lent[0]?.rolvaliduntil !== null && gone,
  );

  const list = JSON.parse((await stage.sallyport(['sessions', 'list', '--format', 'json'])).stdout) as {
    id: string;
    principal: unknown;
    state: string;
  }[];
  const crewSession = await findHeldSession(
    stage,
    list.map(({ id }) => id),
  );
  proves('P1', 'every session is on record, with its end', list.length >= 4 && list.every(({ state }) => state === 'closed'));
  return crewSession;
}

async function replayAndVerify(stage: Stage, { step, say, proves }: Narrator, session: string): Promise<void> {
  step('5 · The record: replayed, verified, altered');
  const replay = await stage.sallyport(['sessions', 'replay', session]);
  for (const line of replay.stdout.trimEnd().split('\n')) say(line);
  proves('P7', 'the session was replayed from the log', replay.code === 0 && replay.stdout.includes('dana'));

  const stopped = await stage.stopUp();
  say(`sallyport up ended with code ${stopped} on SIGTERM`);
  const verified = await stage.sallyport(['verify', stage.dataDir]);
  for (const line of verified.stdout.trimEnd().split('\n')) say(line);
  proves('P6', 'verify: integrity and completeness hold', verified.code === 0);

  const copy = join(stage.dir, 'copy');
  await cp(stage.dataDir, copy, { recursive: true, filter: (source) => !source.startsWith(join(stage.dataDir, 'store')) });
  const place = await flipOneByte(join(copy, 'bus'), 'UPDATE stock SET quantity');
  const altered = await stage.sallyport(['verify', copy]);
  say(`one byte of a copy altered (${place}):`);
  for (const line of altered.stdout.trimEnd().split('\n').slice(0, 12)) say(line);
  proves('P6', 'one altered byte was found', altered.code === 1);

  const bytes = await bytesUnder(stage.dataDir, 'bus', 'spool');
  proves(
    'P3',
    'no token and no password is in the log',
    !Object.values(stage.ready.tokens).some((token) => bytes.includes(token)) && !bytes.includes('"password"'),
  );
}

async function waitingHold(stage: Stage): Promise<string> {
  let id: string | undefined;
  await until(async () => {
    const { stdout } = await stage.sallyport(['approvals', 'list', '--format', 'json']);
    const rows = JSON.parse(stdout || '[]') as { id: string; state: string }[];
    id = rows.find(({ state }) => state === 'waiting')?.id;
    return id !== undefined;
  });
  if (id === undefined) throw new DemoFailed('the held write never showed in `sallyport approvals list`');
  return id;
}

/** The session in which something was held: the one worth watching again. */
async function findHeldSession(stage: Stage, ids: readonly string[]): Promise<string> {
  for (const id of ids) {
    const { stdout } = await stage.sallyport(['sessions', 'show', id, '--format', 'json']);
    if (stdout.includes('approval.applied')) return id;
  }
  throw new DemoFailed('no session shows the approval');
}

async function flipOneByte(directory: string, near: string): Promise<string> {
  for (const file of await filesUnder(directory)) {
    const at = (await readFile(file)).indexOf(near);
    if (at < 0) continue;
    const handle = await open(file, 'r+');
    try {
      const byte = Buffer.alloc(1);
      await handle.read(byte, 0, 1, at);
      byte[0]! ^= 0x01;
      await handle.write(byte, 0, 1, at);
    } finally {
      await handle.close();
    }
    return `${file.slice(directory.length + 1)}, byte ${at}`;
  }
  throw new DemoFailed(`the log does not contain ${near}`);
}

async function bytesUnder(directory: string, ...names: readonly string[]): Promise<Buffer> {
  const files = (await Promise.all(names.map((name) => filesUnder(join(directory, name))))).flat();
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function errorOf(client: Client, sql: string): Promise<DatabaseError | undefined> {
  try {
    await client.query(sql);
    return undefined;
  } catch (error) {
    return error as DatabaseError;
  }
}

async function codeOf(client: Client, sql: string): Promise<string> {
  const error = await errorOf(client, sql);
  return error === undefined ? 'ok' : (error.code ?? 'connection ended');
}

async function signInCode(stage: Stage, token: string): Promise<string | undefined> {
  try {
    await (await stage.agent(token)).end();
    return undefined;
  } catch (error) {
    return (error as DatabaseError).code;
  }
}

async function until(holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    if (await holds()) return true;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  return false;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
