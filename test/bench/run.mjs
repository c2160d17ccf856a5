#!/usr/bin/env node
/*
 * Runs peers side by side on this machine and prints what they reach of each other.
 *
 *     npm run bench [-- NAME...] [--rounds N] [--seconds S] [--json FILE] [--command FILE]
 *
 * Without a name every bench runs. Results go to test/bench/results/NAME.json and NAME.md: nobody edits them by hand.
 * --json puts both elsewhere. --command measures another `sallyport` than this checkout's, to compare two builds.
 * A bench measures and judges nothing: there are no thresholds. Exit code 0 when every bench could do what its name says, 1 when
 * one could not, 2 for wrong use. What is missing on this machine is skipped by name.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../apps/sallyport/bin/ensure-built.mjs';
import { machine } from './measure/machine.mjs';
import { markdown } from './measure/markdown.mjs';

const ROOT = join(import.meta.dirname, '../..');

/** Each exports `bench(options)`, which resolves with `{ title, unit, baselines, versions, skipped, rows }`. */
const BENCHES = {
  postgres: () => import('./postgres.mjs'),
  bus: () => import('./bus.mjs'),
};

const wrongUse = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '2' },
        seconds: { type: 'string', default: '1' },
        json: { type: 'string' },
        command: { type: 'string' },
      },
    });
    return { ...values, names: positionals.length > 0 ? positionals : Object.keys(BENCHES) };
  } catch (error) {
    return wrongUse(error.message);
  }
}

const { names, rounds, seconds, json, command } = options();
for (const name of names) if (!(name in BENCHES)) wrongUse(`there is no bench ${name}; there are: ${Object.keys(BENCHES).join(', ')}`);
for (const [name, value] of Object.entries({ rounds, seconds }))
  if (!/^[1-9]\d{0,4}$/.test(value)) wrongUse(`--${name} takes a whole number from 1`);
if (json !== undefined && names.length !== 1) wrongUse('--json goes with the name of one bench');

const stops = [];
/** Stops what a bench started, last first. */
async function stopAll() {
  for (const stop of stops.splice(0).reverse())
    await stop().catch((error) => process.stderr.write(`could not be stopped: ${error.message}\n`));
}
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    process.stderr.write(`${signal}: stopping\n`);
    void stopAll().then(() => process.exit(130));
  });

const unbuilt = await ensureBuilt(ROOT);
if (unbuilt !== undefined) {
  process.stderr.write(`${unbuilt}\n`);
  process.exit(1);
}

let failed = false;
for (const name of names) {
  try {
    const { bench } = await BENCHES[name]();
    const result = await bench({
      rounds: Number(rounds),
      seconds: Number(seconds),
      ...(command === undefined ? {} : { command: [process.execPath, resolve(command)] }),
      onStop: (stop) => stops.push(stop),
      say: (line) => process.stderr.write(`${line}\n`),
    });
    const report = {
      bench: name,
      date: new Date().toISOString(),
      revision: revision(),
      machine: machine(),
      rounds: Number(rounds),
      seconds: Number(seconds),
      ...result,
    };
    const path = json ?? join(import.meta.dirname, 'results', `${name}.json`);
    const table = markdown(report);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(path.replace(/(\.json)?$/, '.md'), table);
    process.stdout.write(table);
    if (result.rows.some(({ error }) => error !== undefined)) failed = true;
  } catch (error) {
    process.stderr.write(`bench ${name}: ${error.message}\n`);
    failed = true;
  } finally {
    await stopAll();
  }
}
process.exitCode = failed ? 1 : 0;

/** Of the code that is measured; with a mark when it isn't what was committed. */
function revision() {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno', 'apps', 'libs', 'policies') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}
