/** The disk of one edge's spool: full, read-only, and with a record that was not written to its end (promises P1, P6, P9). */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inspectJournal } from '@sallyport/journal';
import { mountSmallDisk } from '../small-disk.mjs';
import { startLoad, summary } from './load.mjs';
import { BUFFERED, connect, eventually, failureOf, readiness } from './world.mjs';

const EDGE = 'edge/e1';
/** Two segments of the journal and some. */
const DISK_SIZE = '40m';
/** Of one statement: most of what an event keeps of a text. */
const PADDING = 'x'.repeat(60_000);
const STATEMENTS_MAX = 2000;
const FULL = '53100';
const NOT_TRIED = 'not tried: only root can mount a small disk here';

const spoolOf = ({ dataDir, name }) => join(dataDir, 'spool', name);

/** The edge with its spool on a small disk, for as long as `work` takes. Afterwards the spool is where it was. */
async function onSmallDisk(world, work) {
  const edge = world.fleet.service(EDGE);
  const [at, aside] = [join(edge.dataDir, 'spool'), join(edge.directory, 'spool-aside')];
  await edge.stop();
  const move = (from, to) => {
    cpSync(from, to, { recursive: true, preserveTimestamps: true });
  };
  move(at, aside);
  const disk = mountSmallDisk(at, DISK_SIZE);
  if (!disk) return NOT_TRIED;
  try {
    move(aside, at);
    await edge.start();
    return await work(edge, disk);
  } finally {
    disk.readOnly(false);
    disk.empty();
    await edge.start().catch(() => undefined);
    await edge.stop();
    rmSync(aside, { recursive: true, force: true });
    move(at, aside);
    await disk.unmount();
    rmSync(at, { recursive: true, force: true });
    mkdirSync(at, { mode: 0o700 });
    move(aside, at);
    rmSync(aside, { recursive: true, force: true });
    await edge.start();
  }
}

const insert = (marker) => `INSERT INTO effects (marker) VALUES ('${marker}') /* ${PADDING} */`;

async function atTarget(world, marker) {
  return (await world.target.query('SELECT 1 FROM effects WHERE marker = $1', [marker])).rowCount;
}

export const diskScenarios = [
  {
    name: 'P1: on a full disk of the spool operations are refused with 53100 and nothing runs; it goes on when there is room',
    run: ({ world, tag }) =>
      onSmallDisk(world, async (edge, disk) => {
        const mark = (n) => `m-${tag}-${n}-`;
        const client = await connect(world, 'agent-1', { edge: EDGE });
        await client.query(insert(mark(0)));
        disk.fill();
        let [n, refused] = [0, undefined];
        while (!refused && n < STATEMENTS_MAX) {
          refused = await failureOf(client.query(insert(mark(++n))));
          if (n % 20 === 0) disk.fill();
        }
        assert.equal(refused?.code, FULL, `${n} statements on a full disk: ${refused?.message}`);
        assert.equal(await atTarget(world, mark(n)), 0, 'a refused statement ran');
        assert.equal((await failureOf(client.query(`SELECT 1 /* ${PADDING} */`)))?.code, FULL, 'a read was shown');
        assert.equal((await readiness(edge)).status, 503);
        const newcomer = await failureOf(connect(world, 'agent-2', { edge: EDGE }));
        assert.match(newcomer?.code ?? '', /53100|57P03/, `a newcomer: ${newcomer?.message}`);
        // The other edge has a disk of its own.
        const neighbour = await connect(world, 'agent-2', { edge: 'edge/e2' });
        await neighbour.query(insert(mark(STATEMENTS_MAX + 1)));
        await neighbour.end();
        disk.empty();
        await eventually(() => client.query(insert(`m-${tag}a-1-`)));
        await eventually(async () => assert.equal((await readiness(edge)).status, 200));
        await client.end();
        return { taken: n - 1, refusedWith: refused.message, newcomer: newcomer.code };
      }),
  },
  {
    name: 'P1 P6: on a read-only disk the edge does not start, says why, and loses nothing of what it had',
    run: ({ world, random, tag }) =>
      onSmallDisk(world, async (edge, disk) => {
        const load = startLoad(world, random, { tag, clients: 4, edges: [EDGE] });
        await load.underWay();
        await edge.kill();
        const stats = await load.stop();
        disk.readOnly(true);
        const began = Date.now();
        const refused = await failureOf(edge.start());
        const { code } = await edge.exited();
        assert.ok(refused && code !== 0 && code !== null, `it started on a read-only disk (${code})`);
        const said = edge.output().slice(-2000);
        assert.match(said, /EROFS|read-only/i, `it does not say why: ${said}`);
        disk.readOnly(false);
        await edge.start();
        return { exitCode: code, afterMs: Date.now() - began, ...summary(stats) };
      }),
  },
  {
    name: 'P1 P6: damage in a spool is told and changes nothing; a torn last record is cut off, and what was acknowledged before it is published',
    async run({ world, random, tag }) {
      const edge = world.fleet.service(EDGE);
      const load = startLoad(world, random, { tag, clients: 4, edges: [EDGE], resources: [BUFFERED], operations: Infinity });
      await load.underWay();
      // What stays in the spool is what can be damaged.
      await world.fleet.kafka.halt();
      await load.underWay(60);
      await edge.kill();
      const stats = await load.stop();
      await world.fleet.kafka.start();
      const undo = await damage(spoolOf(edge));
      const refused = await failureOf(edge.start());
      const { code } = await edge.exited();
      assert.ok(refused, 'it started on a damaged spool');
      assert.match(edge.output().slice(-3000), /JOURNAL_CORRUPT/);
      undo();
      const torn = await tearLast(spoolOf(edge));
      await edge.start();
      return { exitCode: code, ...torn, ...summary(stats) };
    },
  },
];

async function lastFrames(directory) {
  const found = [];
  for await (const one of inspectJournal(directory)) if (one.kind === 'record') found.push(one);
  assert.ok(found.length > 2, 'there is nothing in the spool');
  return found;
}

/** Behind the last record, the first part of one that would follow it: what a power cut in the middle of a write leaves. */
async function tearLast(directory) {
  const frames = await lastFrames(directory);
  const { file, position, record } = frames.at(-1);
  const path = join(directory, file);
  const bytes = readFileSync(path);
  const [headers, value] = [bytes.readUInt16BE(position + 34), bytes.readUInt32BE(position + 36)];
  const key = bytes.readUInt16BE(position + 32);
  const length = 40 + (key === 0xffff ? 0 : key) + headers + value;
  const next = Buffer.from(bytes.subarray(position, position + length));
  next.writeBigUInt64BE(record.offset + 1n, 8);
  write(path, next.subarray(0, Math.floor(length / 2)), position + length);
  return { inSpool: frames.length, tornAt: position + length };
}

/** A flipped byte in a record that was synced long ago. Returns how to make it good. */
async function damage(directory) {
  const frames = await lastFrames(directory);
  const { file, position } = frames[Math.floor(frames.length / 3)];
  const path = join(directory, file);
  const at = position + 60;
  const byte = readFileSync(path)[at];
  write(path, Buffer.of(byte ^ 0xff), at);
  return () => write(path, Buffer.of(byte), at);
}

function write(path, bytes, at) {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}
