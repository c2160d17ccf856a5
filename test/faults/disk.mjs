/** A full disk, and a spool that is smaller than what comes at once (promises P1, P6, P9). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allEnded, allOnRecord, noRoles, verifies } from './checks.mjs';
import { mountSmallDisk } from './small-disk.mjs';
import { connect, eventually, readiness, startWorld } from './world.mjs';

const TMPFS_SIZE = '192m';
/** Of one statement: most of what an event keeps of a text. */
const PADDING = 'x'.repeat(60_000);
const STATEMENTS_MAX = 2000;
const FULL = '53100';

/** Undefined when only root may make one. */
function smallDisk() {
  const at = mkdtempSync(join(tmpdir(), 'sallyport-disk-'));
  const disk = mountSmallDisk(at, TMPFS_SIZE);
  if (!disk) {
    rmdirSync(at);
    return undefined;
  }
  return {
    ...disk,
    async unmount() {
      await disk.unmount();
      rmdirSync(at);
    },
  };
}

const insert = (marker) => `INSERT INTO effects (marker) VALUES ('${marker}') /* ${PADDING} */`;

async function atTarget(world, marker) {
  return (await world.target.query('SELECT 1 FROM effects WHERE marker = $1', [marker])).rowCount;
}

async function begin(context, options) {
  const world = await startWorld(options);
  context.worlds.push(world);
  await world.start();
  return world;
}

export const diskScenarios = [
  {
    name: 'P1: on a full disk operations are refused with 53100 and nothing runs; it goes on when there is room',
    async run(context) {
      const disk = smallDisk();
      if (!disk) return 'not tried: only root can mount a small disk here';
      // After the world has stopped, which is removed first.
      context.worlds.unshift({ stop: () => disk.unmount() });
      const world = await startWorld({ root: disk.at });
      context.worlds.unshift(world);
      await world.start();
      const client = await connect(world, 'agent-1');
      await client.query(insert('m-disk-0-'));
      disk.fill();

      let n = 0;
      let refused;
      while (!refused && n < STATEMENTS_MAX) {
        n++;
        refused = await client.query(insert(`m-disk-${n}-`)).then(
          () => undefined,
          (error) => error,
        );
        // Whatever still finds room on the disk.
        if (n % 20 === 0) disk.fill();
      }
      assert.ok(refused, `${STATEMENTS_MAX} statements were taken on a full disk`);
      assert.equal(refused.code, FULL, refused.message);
      assert.match(refused.message, /record/);
      assert.equal(await atTarget(world, `m-disk-${n}-`), 0, 'a refused statement ran');
      // Reads are not shown either, and a new session is not begun.
      const read = await client.query(`SELECT 1 /* ${PADDING} */`).then(
        () => undefined,
        (error) => error,
      );
      assert.equal(read?.code, FULL);
      const ready = await readiness(world);
      assert.equal(ready.status, 503, ready.text);
      const newcomer = await connect(world, 'agent-2').then(
        () => undefined,
        (error) => error,
      );
      assert.ok(newcomer, 'a session began that could not be recorded');
      assert.match(newcomer.code ?? newcomer.message, /53100|57P03/);

      disk.empty();
      // The same session goes on.
      await eventually(() => client.query(insert('m-disk.again-1-')), 20_000);
      await eventually(async () => assert.equal((await readiness(world)).status, 200), 20_000);
      const late = await connect(world, 'agent-2');
      await late.query(insert('m-disk.late-1-'));
      await Promise.all([client.end(), late.end()]);
      const { log, effects } = await eventually(async () => {
        const found = await allOnRecord(world);
        allEnded(found.log);
        return found;
      });
      assert.equal(effects, n + 2, 'one effect for each statement that was taken');
      await eventually(() => noRoles(world));
      await verifies(world);
      return { taken: n - 1, refusedWith: refused.message, newcomer: newcomer.code, events: log.events };
    },
  },
  {
    name: 'P1 P9: more at once than the spool holds is refused with 53100, and what was taken has run and is on record',
    async run(context) {
      const world = await begin(context, {
        limits: { spoolMaxBytes: '768KiB', spoolReserveBytes: '256KiB', recordMaxBytes: '256KiB', maxSessionsPerPrincipal: 100 },
      });
      const clients = await Promise.all(Array.from({ length: 24 }, (_, n) => connect(world, `agent-${(n % 4) + 1}`)));
      const taken = [];
      const refused = [];
      for (let round = 0; round < 6; round++) {
        // The spool is emptied between, so that some of each are taken.
        await sleep(300);
        await Promise.all(
          clients.map(async (client, n) => {
            const marker = `m-burst-${round * 100 + n}-`;
            try {
              await client.query(insert(marker));
              taken.push(marker);
            } catch (error) {
              assert.equal(error.code, FULL, error.message);
              refused.push(marker);
            }
          }),
        );
      }
      assert.ok(refused.length > 0, 'the spool took all of it: nothing was tried');
      assert.ok(taken.length > 0);
      // Every session lives on.
      await eventually(() => Promise.all(clients.map((client, n) => client.query(`SELECT 'm-burst.after-${n}-'`))));
      await Promise.all(clients.map((client) => client.end()));
      const { rows } = await world.target.query('SELECT marker FROM effects');
      assert.deepEqual(rows.map(({ marker }) => marker).sort(), taken.sort());
      await eventually(async () => allEnded((await allOnRecord(world)).log));
      await verifies(world);
      return { taken: taken.length, refused: refused.length };
    },
  },
];
