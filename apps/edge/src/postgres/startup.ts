import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import {
  type CancelRequest,
  isDirectTls,
  NEGOTIATION_ACCEPTED,
  NEGOTIATION_REFUSED,
  type StartupMessage,
  StartupScanner,
  WireError,
} from '@sallyport/wire-postgres';
import { lastWords } from './refusals.js';

/** Registered with IANA for PostgreSQL: a direct TLS connection must name it (protocol, SSL Session Encryption). */
const ALPN = 'postgresql';
/** SSLRequest, GSSENCRequest, and the startup message; a client that asks more often is playing. */
const MAX_PACKETS = 4;

export type Started =
  | { readonly kind: 'startup'; readonly socket: Socket; readonly tls: boolean; readonly message: StartupMessage; readonly rest: Buffer }
  | { readonly kind: 'cancel'; readonly socket: Socket; readonly request: CancelRequest }
  | { readonly kind: 'gone' };

/**
 * The startup phase up to the StartupMessage: TLS by SSLRequest or at once, GSS declined, cancel requests told apart. Whatever
 * breaks its rules is answered as a server does and hung up on.
 */
export async function startup(plain: Socket, tls: SecureContext | undefined, maxStartupBytes: number): Promise<Started> {
  let socket = plain;
  let secure = false;
  const scanner = new StartupScanner(maxStartupBytes);
  try {
    for (let packets = 0, first = true; packets < MAX_PACKETS; first = false) {
      const chunk = await pull(socket);
      if (!chunk) return gone(socket);
      if (first && isDirectTls(chunk[0]!)) {
        if (!tls) return gone(socket);
        socket.unshift(chunk);
        const upgraded = await upgrade(socket, tls);
        if (!upgraded || upgraded.alpnProtocol !== ALPN) return gone(upgraded ?? socket);
        socket = upgraded;
        secure = true;
        continue;
      }
      const scanned = scanner.push(chunk);
      if (!scanned) continue;
      packets++;
      const rest = chunk.subarray(scanned.end);
      const { packet } = scanned;
      switch (packet.kind) {
        case 'cancelRequest':
          return { kind: 'cancel', socket, request: packet };
        case 'unsupportedProtocol':
          return gone(
            socket,
            lastWords(
              '0A000',
              `unsupported frontend protocol ${packet.protocol.major}.${packet.protocol.minor}: server supports 3.0 to 3.2`,
            ),
          );
        case 'startupMessage':
          return { kind: 'startup', socket, tls: secure, message: packet, rest };
        case 'gssEncRequest':
          if (secure || rest.length > 0) return gone(socket);
          socket.write(Buffer.of(NEGOTIATION_REFUSED));
          break;
        case 'sslRequest': {
          // Bytes behind the request came in the clear and would be taken for encrypted ones (CVE-2021-23214).
          if (secure || rest.length > 0) return gone(socket);
          if (!tls) {
            socket.write(Buffer.of(NEGOTIATION_REFUSED));
            break;
          }
          socket.write(Buffer.of(NEGOTIATION_ACCEPTED));
          const upgraded = await upgrade(socket, tls);
          if (!upgraded) return gone(socket);
          socket = upgraded;
          secure = true;
        }
      }
    }
    return gone(socket);
  } catch (error) {
    if (error instanceof WireError) return gone(socket, lastWords('08P01', 'invalid startup packet'));
    throw error;
  }
}

async function upgrade(socket: Socket, secureContext: SecureContext): Promise<TLSSocket | undefined> {
  const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [ALPN] });
  const closed = new AbortController();
  const stop = (): void => closed.abort();
  secure.once('close', stop);
  secure.on('error', stop);
  try {
    await once(secure, 'secure', { signal: closed.signal });
    return secure;
  } catch {
    return undefined;
  } finally {
    secure.off('close', stop);
  }
}

function gone(socket: Socket, words?: Buffer): { readonly kind: 'gone' } {
  if (words && socket.writable) socket.end(words, () => socket.destroy());
  else socket.destroy();
  return { kind: 'gone' };
}

/** The next bytes of a socket that isn't flowing; undefined at its end. */
export async function pull(socket: Socket): Promise<Buffer | undefined> {
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk) return chunk;
    if (socket.readableEnded || socket.destroyed) return undefined;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of EVENTS) socket.off(event, done);
        resolve();
      };
      for (const event of EVENTS) socket.once(event, done);
    });
  }
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const;
