/** P9: a slow or silent client costs itself only. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from './world.mjs';

const ROWS = 1_000_000;
const ROW_BYTES = 200;
/** Of a result of some 220 MB. Collected garbage is not given back at once. */
const GROWTH_MAX_BYTES = 96 * 2 ** 20;
const STALL_MS = 2500;
const PROBES = 150;
const SILENT = 200;

function residentBytes(pid) {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found[1]) * 1024;
}

async function latencies(client) {
  const all = [];
  for (let n = 0; n < PROBES; n++) {
    const begun = performance.now();
    await client.query('SELECT 1');
    all.push(performance.now() - begun);
  }
  all.sort((a, b) => a - b);
  return all[Math.floor(PROBES / 2)];
}

export const neighbourScenarios = [
  {
    name: 'P9: a client that stops reading a million rows holds no memory and delays nobody',
    async run(context) {
      if (process.platform !== 'linux') return 'not tried: memory is read from /proc';
      const world = await context.shared();
      const { pid } = world.up;
      const neighbour = await connect(world, 'agent-2');
      await latencies(neighbour);
      const alone = await latencies(neighbour);
      const slow = await connect(world, 'agent-1');
      const before = residentBytes(pid);
      let rows = 0;
      let bytes = 0;
      const { stream } = slow.connection;
      stream.on('data', (chunk) => (bytes += chunk.length));
      const query = new (await import('pg')).default.Query(
        `SELECT n, repeat('x', ${ROW_BYTES}) AS padding FROM generate_series(1, ${ROWS}) n`,
      );
      query.handleDataRow = () => void rows++;
      const done = new Promise((resolve, reject) => {
        query.once('end', resolve);
        query.once('error', reject);
      });
      slow.query(query);
      await new Promise((resolve) => stream.once('data', resolve));
      stream.pause();
      await sleep(STALL_MS);
      const stalled = residentBytes(pid) - before;
      const beside = await latencies(neighbour);
      assert.ok(bytes < (ROWS * ROW_BYTES) / 4, 'the client read on: nothing was tried');
      stream.resume();
      let peak = stalled;
      const watch = setInterval(() => (peak = Math.max(peak, residentBytes(pid) - before)), 100);
      await done.finally(() => clearInterval(watch));
      assert.equal(rows, ROWS);
      assert.ok(bytes > ROWS * ROW_BYTES);
      await Promise.all([slow.end(), neighbour.end()]);
      assert.ok(peak < GROWTH_MAX_BYTES, `it grew by ${peak} bytes`);
      assert.ok(beside < alone * 5 + 20, `median ${beside.toFixed(2)} ms beside it, ${alone.toFixed(2)} ms alone`);
      return {
        resultMB: Math.round(bytes / 2 ** 20),
        stalledMB: Math.round(stalled / 2 ** 20),
        peakMB: Math.round(peak / 2 ** 20),
        aloneMs: alone.toFixed(2),
        besideMs: beside.toFixed(2),
      };
    },
  },
  {
    name: 'P9: connections that stay silent keep nobody from signing in',
    async run(context) {
      const world = await context.shared();
      const silent = Array.from({ length: SILENT }, () => connectSocket(world.up.port, world.up.host));
      for (const socket of silent) socket.on('error', () => socket.destroy());
      await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      const begun = Date.now();
      const client = await connect(world, 'agent-1');
      assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1);
      const tookMs = Date.now() - begun;
      await client.end();
      assert.ok(tookMs < 4000, `signing in took ${tookMs} ms`);
      // And they are hung up on.
      await Promise.race([
        Promise.all(silent.map((socket) => new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', resolve))))),
        sleep(15_000).then(() => Promise.reject(new Error('a silent connection is still open'))),
      ]);
      return { tookMs };
    },
  },
];
