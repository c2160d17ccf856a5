#!/usr/bin/env node
/**
 * Faults on a real `sallyport up` before a real server: kills, a full disk, a server that dies, revocation, a slow client. With `--bus kafka`
 * on a fleet of services on a real broker.
 *
 *   npm run test:faults [-- --bus embedded|kafka --rounds N --seed S --only PATTERN]
 *
 * Prints each result and a table, and ends with `N passed, N failed`. Exit codes: 0 all passed, 1 something failed or is missing, 2 wrong use.
 */
import { parseArgs } from 'node:util';
import { kafkaScenarios, whatIsMissing } from './kafka/suite.mjs';
import { killRounds } from './kills.mjs';
import { scenarios } from './scenarios.mjs';
import { seeded } from './seeded.mjs';
import { startWorld } from './world.mjs';

/** By bus, unless it is said. On Kafka of each kind of kill. */
const ROUNDS = { embedded: 5, kafka: 1 };
const OUTPUT_TAIL_CHARS = 6000;
const SHARED_LIMITS = { signInTimeout: '5s' };

function options(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        bus: { type: 'string', default: 'embedded' },
        rounds: { type: 'string' },
        seed: { type: 'string' },
        only: { type: 'string' },
      },
    });
    if (!Object.hasOwn(ROUNDS, values.bus)) return undefined;
    const rounds = Number(values.rounds ?? ROUNDS[values.bus]);
    const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
    if (!Number.isInteger(rounds) || rounds < 0 || !Number.isInteger(seed)) return undefined;
    return { bus: values.bus, rounds, seed, only: values.only };
  } catch {
    return undefined;
  }
}

async function* all({ rounds, seed, only }) {
  const wanted = (name) => only === undefined || name.includes(only);
  if (wanted('kill')) yield* killRounds({ rounds, random: seeded(seed) });
  let shared;
  try {
    for (const { name, run } of scenarios) {
      if (!wanted(name)) continue;
      const context = {
        random: seeded(seed),
        /** Stopped behind the scenario, in this order. */
        worlds: [],
        /** One for all scenarios that leave it as they found it. */
        async shared() {
          if (!shared) {
            shared = await startWorld({ limits: SHARED_LIMITS });
            await shared.start();
          }
          return shared;
        },
      };
      try {
        yield { name, found: await run(context) };
      } catch (error) {
        yield { name, error, output: [...context.worlds, shared].map((world) => world?.up?.output() ?? '').join('\n') };
        context.worlds.push(...(shared ? [shared] : []));
        shared = undefined;
      }
      for (const world of context.worlds) await stopped(world);
    }
  } finally {
    if (shared) await stopped(shared);
  }
}

function stopped(world) {
  return world.stop().catch((error) => console.log(`a clean-up failed: ${error.message}`));
}

async function main(argv) {
  const chosen = options(argv);
  if (!chosen) {
    process.stderr.write('npm run test:faults [-- --bus embedded|kafka --rounds N --seed S --only PATTERN]\n');
    return 2;
  }
  const missing = chosen.bus === 'kafka' ? whatIsMissing() : undefined;
  if (missing !== undefined) {
    process.stderr.write(`The faults on Kafka were not tried: ${missing}\n`);
    return 1;
  }
  console.log(`bus ${chosen.bus}, seed ${chosen.seed}, ${chosen.rounds} rounds`);
  const rows = [];
  let begun = Date.now();
  for await (const { name, found, error, output } of chosen.bus === 'kafka' ? kafkaScenarios(chosen) : all(chosen)) {
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    rows.push({ name, result: error ? 'FAILED' : 'passed', seconds, found: found === undefined ? '' : JSON.stringify(found) });
    console.log(`${error ? 'FAILED' : 'passed'}  ${name} (${seconds} s)`);
    if (error) console.log(`${error.stack}\n--- output ---\n${(output ?? '').slice(-OUTPUT_TAIL_CHARS)}\n--- seed ${chosen.seed} ---`);
    begun = Date.now();
  }
  console.log('');
  for (const { name, result, seconds, found } of rows) console.log(`${result}  ${seconds.padStart(6)} s  ${name}  ${found}`);
  const failed = rows.filter(({ result }) => result === 'FAILED').length;
  console.log(`seed ${chosen.seed}`);
  console.log(`${rows.length - failed} passed, ${failed} failed`);
  return failed === 0 && rows.length > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
