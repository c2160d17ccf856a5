/** All scenarios on Kafka, one after the other on one fleet for as long as it is well; what must hold is checked after each. */
import assert from 'node:assert/strict';
import { kafkaInstalled } from '../../harness/index.mjs';
import { seeded } from '../seeded.mjs';
import { brokerScenarios } from './broker.mjs';
import { settled } from './checks.mjs';
import { clockScenarios } from './clocks.mjs';
import { decisionScenarios } from './decisions.mjs';
import { diskScenarios } from './disk.mjs';
import { hostileScenarios } from './hostile.mjs';
import { killScenarios } from './kills.mjs';
import { networkScenarios } from './network.mjs';
import { policyScenarios } from './policies.mjs';
import { revocationScenarios } from './revocation.mjs';
import { rollingScenarios } from './rolling.mjs';
import { storeScenarios } from './store.mjs';
import { vendorScenarios } from './vendors.mjs';
import { startKafkaWorld } from './world.mjs';

/** From so many rounds on, outages last as long as the promises say, and what is drawn in the short form is all tried. */
const LONG_ROUNDS = 10;

/**
 * @typedef {object} KafkaScenario
 * @property {string} name
 * @property {(context: { world: object, random: object, rounds: number, isLong: boolean, tag: string }) => Promise<object | string>} run
 * @property {RegExp} [logged]  What a service may say at level error, because of what was done to it.
 * @property {boolean} [breaks]  It leaves a log that nobody could call whole: it has a fleet of its own, and checks for itself.
 */

/** @type {readonly KafkaScenario[]} */
const SCENARIOS = [
  ...killScenarios,
  ...brokerScenarios,
  ...networkScenarios,
  ...diskScenarios,
  ...storeScenarios,
  ...decisionScenarios,
  ...vendorScenarios,
  ...revocationScenarios,
  ...policyScenarios,
  ...clockScenarios,
  ...rollingScenarios,
  ...hostileScenarios,
];

/** Why the suite can't run here; undefined when it can. */
export function whatIsMissing() {
  const required = process.env.SALLYPORT_REQUIRE_KAFKA;
  process.env.SALLYPORT_REQUIRE_KAFKA = '1';
  try {
    kafkaInstalled();
    return undefined;
  } catch (error) {
    return error.message;
  } finally {
    if (required === undefined) delete process.env.SALLYPORT_REQUIRE_KAFKA;
    else process.env.SALLYPORT_REQUIRE_KAFKA = required;
  }
}

const ERROR_LEVEL = 50;
/** Told again at each start, for as long as it is on the topic. */
const TOLD_ALWAYS = /a published policy is refused/;

/** What each service has said at level error: no fault of others is one of its own. */
function errorsLogged(fleet) {
  const lines = [];
  for (const { key, output } of fleet.services) {
    for (const line of output().split('\n')) if (line.includes(`"level":${ERROR_LEVEL}`)) lines.push(`${key} ${line}`);
  }
  return lines;
}

function noFaultsOfOurs(before, after, expected) {
  const known = new Set(before);
  const fresh = after.filter((line) => !known.has(line) && !expected?.test(line) && !TOLD_ALWAYS.test(line));
  assert.deepEqual(fresh.slice(0, 3), [], `${fresh.length} errors logged by services`);
}

/** @returns one row per scenario: what was found, or why it failed and what the services said. */
export async function* kafkaScenarios({ rounds, seed, only }) {
  let world;
  const end = async () => {
    await world?.stop().catch((error) => console.log(`a clean-up failed: ${error.message}`));
    world = undefined;
  };
  try {
    for (const [n, { name, run, breaks, logged }] of SCENARIOS.entries()) {
      if (only !== undefined && !name.includes(only)) continue;
      if (breaks) await end();
      let output = '';
      try {
        world ??= await startKafkaWorld();
        const context = { world, random: seeded(seed + n), rounds, isLong: rounds >= LONG_ROUNDS, tag: `k${n}` };
        const heard = errorsLogged(world.fleet);
        const found = await run(context);
        if (!breaks) await world.restored();
        const held = breaks ? {} : await settled(world);
        if (!breaks) noFaultsOfOurs(heard, errorsLogged(world.fleet), logged);
        yield { name, found: { ...(typeof found === 'string' ? { note: found } : found), all: held } };
      } catch (error) {
        output = world?.fleet.output() ?? '';
        yield { name, error, output };
        await end();
      }
      if (breaks) await end();
    }
  } finally {
    await end();
  }
}
