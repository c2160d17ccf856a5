/** Nobody there to decide: what was decided under the live revision holds, and nothing else is allowed (promise P2). */
import assert from 'node:assert/strict';
import { connect, eventually, failureOf, HELD } from './world.mjs';

const KNOWN = 'SELECT count(*) FROM effects';

export const decisionScenarios = [
  {
    name: 'P2: the decision service away: verdicts that are known hold, everything else is refused and nothing runs',
    async run({ world, tag }) {
      const mark = (n) => `m-${tag}-${n}-`;
      const agent = await connect(world, 'agent-1');
      const held = await connect(world, HELD);
      await agent.query(KNOWN);
      await held.query(KNOWN);
      await Promise.all(world.fleet.of('decision').map((service) => service.kill()));
      // Known: the same question again.
      await agent.query(KNOWN);
      const refusals = {
        unknown: await failureOf(agent.query(`CREATE TABLE invented_${tag} (marker text)`)),
        held: await failureOf(held.query(`INSERT INTO effects (marker) VALUES ('${mark(1)}')`)),
        newcomer: await failureOf(connect(world, HELD, { edge: 'edge/e2' })),
      };
      // In an intact connection.
      await agent.query(KNOWN);
      await held.query(KNOWN);
      const { rows } = await world.target.query("SELECT relname FROM pg_class WHERE relname LIKE 'invented%'");
      assert.deepEqual(rows, [], 'a statement ran that nobody decided about');
      assert.equal((await world.target.query('SELECT 1 FROM effects WHERE marker = $1', [mark(1)])).rowCount, 0, 'a held write ran');
      await world.fleet.start('decision');
      await eventually(async () => {
        const failure = await failureOf(agent.query(`CREATE TEMPORARY TABLE decided_${tag} (marker text)`));
        assert.ok(failure === undefined || failure.code === '42P07', failure?.message);
      });
      assert.equal(refusals.unknown?.code, '42501', refusals.unknown?.message);
      assert.equal(refusals.held?.code, '42501', refusals.held?.message);
      assert.match(refusals.newcomer?.code ?? '', /57P03|42501/, refusals.newcomer?.message);
      await Promise.all([agent.end(), held.end()]);
      return Object.fromEntries(Object.entries(refusals).map(([name, { code, message }]) => [name, `${code} ${message}`]));
    },
  },
];
