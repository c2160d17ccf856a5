#!/usr/bin/env node
/**
 * Runs the workspace's checks and tests, one step after the other, and ends with one line: `N passed, N failed`.
 *
 *   node test/run.mjs [SUITE] [-- JEST ARGUMENTS]
 *
 * SUITE is `quick` (the default, `npm test`), `clients` (`npm run test:clients`) or `kafka` (`npm run test:kafka`). A check counts as one, a
 * jest suite as many as it has tests. Skipped tests are named. Exit codes: 0 all passed, 1 something failed or nothing ran, 2 wrong use.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '..');
const CHECK_TIMEOUT_MS = 5 * 60_000;
const JEST_TIMEOUT_MS = 20 * 60_000;
const KILL_AFTER_MS = 5000;
/** Suites with needs of their own (databases, other languages, minutes): never part of the quick one. */
const SLOW_SUITES = ['conformance', 'faults', 'bench', 'fuzz', 'kafka'];
/** Client suites start servers and other languages' runtimes, and are run one file after the other. */
const CLIENT_TEST_TIMEOUT_MS = 120_000;
/** A broker takes up to 10 s to start, and as long to be taken back after a kill. */
const KAFKA_TEST_TIMEOUT_MS = 120_000;

const node = (module, ...args) => [process.execPath, join('node_modules', module), ...args];

const BUILD = { name: 'build', command: node('typescript/bin/tsc', '-b') };
const CHECKS = [
  BUILD,
  { name: 'lint', command: node('oxlint/bin/oxlint', '--type-aware', '--deny-warnings', 'apps', 'libs', 'test', 'policies', 'docs') },
  { name: 'format', command: node('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.') },
  {
    name: 'direction',
    command: node('dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'apps', 'libs', 'test'),
  },
];
const JEST = [
  process.execPath,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--no-watchman',
];

const SUITES = {
  quick: {
    checks: CHECKS,
    needs: [],
    jest: ['--testPathIgnorePatterns', '/node_modules/', '/dist/', `<rootDir>/test/(${SLOW_SUITES.join('|')})/`, '--'],
  },
  clients: {
    checks: [BUILD],
    needs: ['test/conformance'],
    jest: ['--runInBand', '--testTimeout', String(CLIENT_TEST_TIMEOUT_MS), '--', 'test/conformance'],
  },
  kafka: {
    checks: [BUILD],
    needs: [],
    missing: noBroker,
    // A run that is about Kafka does not pass by skipping it.
    env: { SALLYPORT_REQUIRE_KAFKA: '1' },
    jest: [
      '--runInBand',
      '--testTimeout',
      String(KAFKA_TEST_TIMEOUT_MS),
      '--',
      'libs/adapters/kafka',
      'apps/sallyport/src/cli/policy/publish',
      'apps/sallyport/src/cli/topics',
      'test/kafka',
    ],
  },
};

/** What a broker needs and this machine lacks. */
function noBroker() {
  const libs = process.env.SALLYPORT_KAFKA_LIBS ?? join(ROOT, 'deploy/kafka/libs');
  const jars = existsSync(libs) && readdirSync(libs).some((name) => /^kafka_2\.13-.*\.jar$/.test(name));
  return [
    ...(spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0 ? [] : ['java']),
    ...(jars ? [] : [`the jars of Kafka in ${libs.startsWith(ROOT) ? relative(ROOT, libs) : libs} (deploy/kafka/install.sh)`]),
  ];
}

let stopping = false;
let current;

/** Runs a command in a process group of its own, so that a time-out ends its children too. Resolves to its exit code. */
function run([command, ...args], timeoutMs, env = {}) {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], detached: true, env: { ...process.env, ...env } };
    const child = spawn(command, args, options);
    const end = (signal) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It is gone already.
      }
    };
    current = end;
    let killing;
    const timer = setTimeout(() => {
      console.log(`stopped: took longer than ${timeoutMs / 60_000} minutes`);
      end('SIGTERM');
      killing = setTimeout(end, KILL_AFTER_MS, 'SIGKILL');
    }, timeoutMs);
    const settle = (code) => {
      clearTimeout(timer);
      clearTimeout(killing);
      end('SIGKILL');
      current = undefined;
      resolve(code);
    };
    child.on('error', (error) => {
      console.log(error.message);
      settle(1);
    });
    child.on('exit', (code) => settle(code ?? 1));
  });
}

async function check({ name, command }) {
  const begun = Date.now();
  console.log(`\n── ${name}`);
  const code = await run(command, CHECK_TIMEOUT_MS);
  console.log(`── ${name}: ${code === 0 ? 'passed' : 'FAILED'} (${seconds(begun)} s)`);
  return { name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
}

async function jest({ jest: args, env }, selection) {
  const begun = Date.now();
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const report = join(dir, 'report.json');
  console.log('\n── tests');
  try {
    // What is before `--` are options; paths come behind it.
    const at = args.indexOf('--');
    const code = await run(
      [...JEST, ...args.slice(0, at), '--json', '--outputFile', report, ...args.slice(at + 1), ...selection],
      JEST_TIMEOUT_MS,
      env,
    );
    const result = existsSync(report) ? countsOf(JSON.parse(readFileSync(report, 'utf8')), code) : { passed: 0, failed: 1, skipped: [] };
    console.log(`── tests: ${result.passed} passed, ${result.failed} failed, ${result.skipped.length} skipped (${seconds(begun)} s)`);
    return { name: 'tests', ...result };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Adds up jest's JSON report. A file that could not be run is one failure, and so is a run that ended badly with every test passed.
 * @param {{ testResults: { name: string, status: string, assertionResults: { status: string, fullName: string }[] }[] }} report
 */
export function countsOf(report, exitCode) {
  let passed = 0;
  let failed = 0;
  const skipped = [];
  for (const { name, status, assertionResults } of report.testResults) {
    let failedHere = 0;
    for (const { status: outcome, fullName } of assertionResults) {
      if (outcome === 'passed') passed++;
      else if (outcome === 'failed') failedHere++;
      else skipped.push(`${relative(ROOT, name)}: ${fullName}`);
    }
    failed += status === 'failed' && failedHere === 0 ? 1 : failedHere;
  }
  if (exitCode !== 0 && failed === 0) failed = 1;
  return { passed, failed, skipped };
}

/**
 * The last words of a run: the closing line, and the exit code that goes with it. No test at all is a failure.
 * @param {{ name: string, passed: number, failed: number }[]} results
 */
export function closing(results) {
  const tests = results.filter(({ name }) => name === 'tests').reduce((sum, { passed, failed }) => sum + passed + failed, 0);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0) + (tests === 0 ? 1 : 0);
  return { line: `${passed} passed, ${failed} failed`, exitCode: failed === 0 ? 0 : 1, noTests: tests === 0 };
}

function seconds(begun) {
  return ((Date.now() - begun) / 1000).toFixed(1);
}

async function main(argv) {
  const at = argv.indexOf('--');
  const [name = 'quick', ...rest] = at === -1 ? argv : argv.slice(0, at);
  const suite = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
  if (suite === undefined || rest.length > 0) {
    process.stderr.write(`node test/run.mjs [${Object.keys(SUITES).join('|')}] [-- JEST ARGUMENTS]\n`);
    return 2;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stopping = true;
      current?.(signal);
    });
  }
  const results = [];
  for (const step of suite.checks) if (!stopping) results.push(await check(step));
  const empty = suite.needs.filter((dir) => !existsSync(join(ROOT, dir)) || readdirSync(join(ROOT, dir)).length === 0);
  const missing = [...empty, ...(suite.missing?.() ?? [])];
  for (const what of missing) console.log(`\nmissing: ${what}; nothing to run`);
  if (missing.length === 0 && !stopping) results.push(await jest(suite, at === -1 ? [] : argv.slice(at + 1)));

  const skipped = results.flatMap((result) => result.skipped);
  console.log('');
  if (skipped.length > 0) console.log(`skipped on this machine:\n${skipped.map((test) => `  ${test}`).join('\n')}`);
  const failures = results.filter(({ failed }) => failed > 0);
  if (failures.length > 0) console.log(`failed: ${failures.map((result) => result.name).join(', ')}`);
  const { line, exitCode, noTests } = closing(results);
  if (noTests) console.log('failed: no test ran');
  console.log(line);
  return exitCode;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
