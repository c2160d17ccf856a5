import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { EmbeddedPostgresError } from './errors.js';
import type { OsUser } from './os-user.js';
import { environment, LAST_WORDS_MAX_CHARS } from './run.js';
import { readPidFile } from './stale.js';

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 10;
const FAST_STOP_TIMEOUT_MS = 10_000;
const IMMEDIATE_STOP_TIMEOUT_MS = 5_000;
const LINE_MAX_CHARS = 64 * 1024;

/**
 * Waits for the end of its standard input, which comes when we end, however we end. Then it ends the server: fast, and after
 * half a minute at once. `$2` is a throw-away data directory to remove behind it, or empty.
 */
const GUARD = `
cat >/dev/null
kill -INT "$1" 2>/dev/null
i=0
while [ $i -lt 150 ] && kill -0 "$1" 2>/dev/null; do sleep 0.2; i=$((i+1)); done
kill -QUIT "$1" 2>/dev/null
[ -n "$2" ] && rm -rf -- "$2"
exit 0`;

export interface ServerOptions {
  readonly postgres: string;
  readonly dir: string;
  readonly port: number;
  readonly user: OsUser;
  readonly settings: Readonly<Record<string, string>>;
  /** The guard removes the data directory when we are gone. */
  readonly removeWhenOrphaned: boolean;
  readonly onLog?: (line: string) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Server {
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  /** Fast shutdown: sessions are rolled back and ended. Resolves when the process is gone. */
  stop(): Promise<void>;
}

/** Hands over whole lines; a line without an end is cut at {@link LINE_MAX_CHARS}. */
function lines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = (parts.pop() ?? '').slice(0, LINE_MAX_CHARS);
    for (const part of parts) onLine(part);
  };
}

/** Starts the server and waits until it accepts connections. Rejects with its last words when it doesn't. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { postgres, dir, port, user } = options;
  const fixed = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', password_encryption: 'scram-sha-256' };
  const args = ['-D', dir];
  for (const [name, value] of Object.entries({ logging_collector: 'off', ...options.settings, ...fixed }))
    args.push('-c', `${name}=${value}`);
  // A session of its own: Ctrl-C in a terminal is for us to act on, the server is still needed to clean up.
  const child = spawn(postgres, args, {
    cwd: '/',
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    ...user,
  });
  let words = '';
  const forward = options.onLog ? lines(options.onLog) : () => undefined;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-LAST_WORDS_MAX_CHARS);
    forward(chunk);
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const pid = child.pid;
  if (pid === undefined) throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', 'postgres could not be run');
  const guard = spawn('/bin/sh', ['-c', GUARD, 'sallyport-postgres-guard', String(pid), options.removeWhenOrphaned ? dir : ''], {
    cwd: '/',
    env: environment(),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    ...user,
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  void exited.then(() => endGuard(guard));
  await ready(dir, pid, exited, () => words);
  return { pid, exited, stop: () => stopServer(child, exited) };
}

/** The guard's own pid is still ours to signal: it is our child, and not reaped while it lives. */
function endGuard(guard: ChildProcess): void {
  // The whole process group: the shell and the cat that it waits for.
  if (guard.pid !== undefined && guard.exitCode === null && guard.signalCode === null) {
    try {
      process.kill(-guard.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
  guard.stdin?.destroy();
}

async function ready(dir: string, pid: number, exited: Promise<Exit>, words: () => string): Promise<void> {
  let ended: Exit | undefined;
  void exited.then((exit) => {
    ended = exit;
  });
  for (let waited = 0; waited < READY_TIMEOUT_MS; waited += READY_POLL_MS) {
    const file = await readPidFile(dir);
    if (file?.pid === pid && file.status === 'ready') return;
    if (ended) {
      throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', `postgres ended with ${ended.signal ?? ended.code}: ${words().trim()}`);
    }
    await sleep(READY_POLL_MS);
  }
  process.kill(pid, 'SIGQUIT');
  throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', `postgres was not ready within ${READY_TIMEOUT_MS} ms: ${words().trim()}`);
}

async function stopServer(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGINT', FAST_STOP_TIMEOUT_MS],
    ['SIGQUIT', IMMEDIATE_STOP_TIMEOUT_MS],
    ['SIGKILL', IMMEDIATE_STOP_TIMEOUT_MS],
  ] as const) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    child.kill(signal);
    const timer = new AbortController();
    const late = sleep(timeoutMs, 'late', { signal: timer.signal }).catch(() => 'late');
    const outcome = await Promise.race([exited, late]);
    timer.abort();
    if (outcome !== 'late') return;
  }
  await exited;
}
