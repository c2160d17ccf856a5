import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_MODE } from './disk.js';
import { JournalError } from './journal-error.js';

/**
 * An exclusive hold on a directory, without a lock of the kernel's (Node has none to offer).
 *
 * `lock.N` names the holder of generation N; the highest N counts. Taking over means making `lock.N+1` with its content in place,
 * which only one can (link(2) fails when it exists), looking again that nobody went further, and only then removing lower ones.
 * The highest file is never removed, so a generation is never given twice. A holder is dead when its process is gone: same boot
 * and same pid namespace, but no such pid, or one that started at another time. A holder in a namespace that can't be seen from
 * here (another container) is dead when it stops touching its file.
 */
export interface DirectoryLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** Of the process, in the platform's own terms. */
  readonly startedAt: string;
  /** Boot and pid namespace: where `pid` means something. */
  readonly space: string;
  readonly id: string;
  readonly released?: boolean;
}

const NAME = /^lock\.(\d{1,15})$/;
const HEARTBEAT_MS = 2000;
/** A holder that we can't see is dead after this much silence. */
const SILENCE_MS = 10_000;

/** Throws `JOURNAL_LOCKED`. */
export async function lockDirectory(directory: string, silenceMs = SILENCE_MS): Promise<DirectoryLock> {
  const top = await highest(directory);
  if (top > 0 && (await isAlive(join(directory, `lock.${top}`), silenceMs))) throw locked(directory);
  const me: Holder = { pid: process.pid, startedAt: processStart(process.pid) ?? '', space: pidSpace(), id: randomUUID() };
  const path = join(directory, `lock.${top + 1}`);
  if (!(await createWhole(directory, path, me))) throw locked(directory);
  if ((await highest(directory)) !== top + 1) {
    await fs.rm(path, { force: true });
    throw locked(directory);
  }
  for (const generation of await generations(directory)) {
    if (generation <= top) await fs.rm(join(directory, `lock.${generation}`), { force: true });
  }
  const heartbeat = setInterval(() => void fs.utimes(path, new Date(), new Date()).catch(() => undefined), HEARTBEAT_MS);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      const temporary = `${path}.${me.id}`;
      await fs.writeFile(temporary, JSON.stringify({ ...me, released: true }), { mode: FILE_MODE });
      await fs.rename(temporary, path);
    },
  };
}

function locked(directory: string): JournalError {
  return new JournalError('JOURNAL_LOCKED', `${directory} is in use by another opener`);
}

async function generations(directory: string): Promise<number[]> {
  return (await fs.readdir(directory)).flatMap((name) => {
    const match = NAME.exec(name);
    return match ? [Number(match[1])] : [];
  });
}

async function highest(directory: string): Promise<number> {
  return Math.max(0, ...(await generations(directory)));
}

/** False when it exists. */
async function createWhole(directory: string, path: string, holder: Holder): Promise<boolean> {
  const temporary = join(directory, `lock-${holder.id}.new`);
  await fs.writeFile(temporary, JSON.stringify(holder), { mode: FILE_MODE, flag: 'wx' });
  try {
    await fs.link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await fs.rm(temporary, { force: true });
  }
}

async function isAlive(path: string, silenceMs: number): Promise<boolean> {
  const holder = await readHolder(path);
  // Content that doesn't parse was lost with a power cut (it is never half written), and its process with it.
  if (!holder || holder.released) return false;
  if (holder.space === pidSpace()) return processStart(holder.pid) === holder.startedAt;
  // The journal is on a local disk: a holder from another boot died with it.
  if (holder.space.split(' ')[0] !== pidSpace().split(' ')[0]) return false;
  return touchedWithin(path, silenceMs);
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await fs.readFile(path, 'utf8')) as Holder;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Watches from here, so that no clock is compared with another's. */
async function touchedWithin(path: string, silenceMs: number): Promise<boolean> {
  const modified = async () => (await fs.stat(path).catch(() => undefined))?.mtimeMs;
  const before = await modified();
  for (let waited = 0; waited < silenceMs; waited += 250) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    if ((await modified()) !== before) return true;
  }
  return false;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return otherwise;
  }
}

let space: string | undefined;

function pidSpace(): string {
  if (space !== undefined) return space;
  const boot = readOr('/proc/sys/kernel/random/boot_id', process.platform);
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: one namespace for all.
  }
  space = `${boot} ${namespace}`;
  return space;
}

/** Undefined when there is no such process. */
function processStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = readOr(`/proc/${pid}/stat`, '');
    // The second field is the program's name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more.
    return stat === '' || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}
