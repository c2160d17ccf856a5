import { randomInt } from 'node:crypto';
import net from 'node:net';

import { EmbeddedPostgresError } from './errors.js';

/** Below 32768, where outgoing connections begin on Linux, and above what well-known servers use. */
const LOWEST = 10_000;
const HIGHEST = 32_000;
const TRIES = 50;

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A port on loopback that was free a moment ago: whoever binds it must be ready to try another. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_PORT', `no free port found between ${LOWEST} and ${HIGHEST}`);
}
