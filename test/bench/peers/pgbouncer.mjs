import { spawn } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { userId } from '../../harness/processes.mjs';

const PASSWORD = 'bench';
const READY_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 20;
const KEPT_WORDS = 4000;

/**
 * pgbouncer as one would run it for the same purpose: a session for each client, the client's password in clear over loopback (as at
 * the edge), SCRAM towards the server. It keeps its sessions at the server for the next client, which the edge never does.
 */
export async function startPgbouncer({ program, directory, target }) {
  const port = await freePort();
  const as = userId('postgres'); // It refuses to run as root.
  const place = (name, lines) => {
    const path = join(directory, name);
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    if (as) chownSync(path, as.uid, as.gid);
    return path;
  };
  if (as) chownSync(directory, as.uid, as.gid);
  const users = place('users.txt', [`"bench" "${PASSWORD}"`]);
  const config = place('pgbouncer.ini', [
    '[databases]',
    `bench = host=${target.host} port=${target.port} dbname=${target.database} user=${target.user} password='${target.password}'`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = plain',
    `auth_file = ${users}`,
    'pool_mode = session',
    'default_pool_size = 100',
    'max_client_conn = 1000',
    'ignore_startup_parameters = extra_float_digits',
    'log_connections = 0',
    'log_disconnections = 0',
  ]);

  const child = spawn(program, [config], { ...as, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => (words = (words + chunk).slice(-KEPT_WORDS)));
  let over = false;
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  }).then(() => (over = true));
  const stop = async () => {
    if (!over) child.kill('SIGTERM');
    await ended;
  };
  for (const end = Date.now() + READY_TIMEOUT_MS; !(await accepts(port)); await sleep(READY_POLL_MS)) {
    if (!over && Date.now() < end) continue;
    await stop();
    throw new Error(`pgbouncer did not get ready\n${words}`);
  }
  return { pid: child.pid, stop, host: '127.0.0.1', port, user: 'bench', password: PASSWORD, database: 'bench' };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
