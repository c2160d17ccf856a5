import type { Server } from 'node:http';
import { DevIssuerError } from './errors.js';

/** Ports from 32768 up are where outgoing connections get theirs from, so a free one may not stay free. */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;
const ATTEMPTS = 50;

/** Anything but loopback is refused: this issuer signs in whoever asks. */
export function checkLoopback(address: string): void {
  if (!/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) && address !== '::1') {
    throw new DevIssuerError('DEV_ISSUER_NOT_LOOPBACK', 'the development issuer listens on loopback addresses only');
  }
}

/** Resolves with the port: the one given, or a free one. */
export async function listen(server: Server, address: string, port?: number): Promise<number> {
  checkLoopback(address);
  for (let attempt = 1; ; attempt++) {
    const tried = port ?? FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    try {
      await tryListen(server, address, tried);
      return tried;
    } catch (cause) {
      if (port === undefined && attempt < ATTEMPTS && (cause as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw new DevIssuerError('DEV_ISSUER_PORT', `can't listen on ${address} port ${tried}`, { cause });
    }
  }
}

function tryListen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.off('listening', listening);
      reject(error);
    };
    const listening = () => {
      server.off('error', failed);
      resolve();
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen(port, address);
  });
}
