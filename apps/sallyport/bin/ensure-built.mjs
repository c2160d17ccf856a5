import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const COMMAND = 'apps/sallyport/dist/cli/main.js';
/** What the sources looked like when they were last built from here. */
const STAMP = 'apps/sallyport/dist/.sources';
const LOCK = 'node_modules/.cache/sallyport-build.lock';
const LOCK_WAIT_MS = 5 * 60_000;
const LOCK_POLL_MS = 100;

/**
 * Builds the checkout at `root` if its sources changed. Says so on stderr, and nothing else when there is nothing to do. One build at
 * a time: who comes second waits and then uses what the first one made. Returns what went wrong, or undefined.
 */
export async function ensureBuilt(root, say = (line) => process.stderr.write(`${line}\n`)) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  // An installed package has no sources to build from.
  if (!existsSync(join(root, 'apps/sallyport/src')) || !existsSync(join(root, 'tsconfig.base.json'))) return undefined;
  if (isFresh(root, sources(root))) return undefined;
  if (!existsSync(compiler)) return `there is no compiler in ${join(root, 'node_modules')}: run npm ci in ${root}`;
  const unlock = await lock(join(root, LOCK));
  if (unlock === undefined)
    return `another build of ${root} has not ended for ${LOCK_WAIT_MS / 60_000} minutes; remove ${LOCK} if there is none`;
  try {
    const found = sources(root);
    if (isFresh(root, found)) return undefined;
    // Of a build that somebody else made only the compiler knows whether it is good; it takes no time to say so.
    if (!looksBuilt(root, found))
      say(`sallyport: ${existsSync(join(root, COMMAND)) ? 'the sources changed' : 'not built yet'}; building …`);
    const output = await run(compiler, root);
    if (output !== undefined) return `the build failed; npm run build shows it too\n${output}`;
    writeFileSync(join(root, STAMP), found.digest);
    return undefined;
  } finally {
    unlock();
  }
}

/** Every file that the build reads: what changed, came or went shows in the digest. */
function sources(root) {
  const hash = createHash('sha256');
  let newestMs = 0;
  const add = (path, name) => {
    const { mtimeMs, size } = statSync(path);
    newestMs = Math.max(newestMs, mtimeMs);
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  };
  add(join(root, 'tsconfig.base.json'), 'tsconfig.base.json');
  for (const project of projects(root)) {
    const directory = join(root, project);
    for (const name of ['tsconfig.json', 'package.json']) add(join(directory, name), `${project}/${name}`);
    for (const entry of readdirSync(join(directory, 'src'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.spec.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      add(path, path.slice(root.length));
    }
  }
  return { digest: hash.digest('hex'), newestMs };
}

function projects(root) {
  return ['apps', 'libs', 'libs/adapters'].flatMap((parent) =>
    readdirSync(join(root, parent))
      .sort()
      .map((name) => `${parent}/${name}`)
      .filter((project) => existsSync(join(root, project, 'src')) && existsSync(join(root, project, 'tsconfig.json'))),
  );
}

function isFresh(root, { digest }) {
  return existsSync(join(root, COMMAND)) && existsSync(join(root, STAMP)) && readFileSync(join(root, STAMP), 'utf8') === digest;
}

function looksBuilt(root, { newestMs }) {
  return projects(root).every((project) => {
    const info = join(root, project, 'dist/.tsbuildinfo');
    return existsSync(info) && statSync(info).mtimeMs > newestMs;
  });
}

/** A file that names its maker. A maker that is gone has left nothing to wait for. */
async function lock(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (const end = Date.now() + LOCK_WAIT_MS; Date.now() < end;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(path)) rmSync(path, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  return undefined;
}

function isAbandoned(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // Not yet written by the one who just made it.
    if (pid === 0) return Date.now() - statSync(path).mtimeMs > 5000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function run(compiler, root) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [compiler, '-b', 'apps/sallyport'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(0, 20_000)));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? undefined : output));
  });
}
