import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

const ESTABLISHED = '01';

/**
 * The user id of the process at the other end of a loopback connection, from Linux's table of TCP sockets (proc(5)); undefined where
 * there is none.
 */
export async function peerUser(socket: Socket): Promise<number | undefined> {
  let table: string;
  try {
    table = await readFile('/proc/net/tcp', 'utf8');
  } catch {
    return undefined;
  }
  for (const line of table.split('\n').slice(1)) {
    const [, local = '', remote = '', state, , , , user] = line.trim().split(/\s+/);
    if (state === ESTABLISHED && portOf(local) === socket.remotePort && portOf(remote) === socket.localPort) return Number(user);
  }
  return undefined;
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
}
