import { connect, isIP, type Socket } from 'node:net';
import * as tls from 'node:tls';

import { encodeStartupPacket, NEGOTIATION_ACCEPTED } from '@sallyport/wire-postgres';

import { Conversation, type ConversationLimits } from './conversation.js';
import { UpstreamError } from './errors.js';
import type { ReadBuffer } from './read-buffer.js';
import type { UpstreamTarget } from './target.js';

/** As registered with IANA; what PostgreSQL 17 and later ask for. */
const ALPN = 'postgresql';
const KEEP_ALIVE_DELAY_MS = 60_000;

/**
 * A connection to the target with TLS as asked for, paused, with no listener on it but one that swallows errors while nobody
 * else listens ({@link ignoreErrors}).
 *
 * Rejects with {@link UpstreamError} `UPSTREAM_UNREACHABLE`, `UPSTREAM_TLS`, `UPSTREAM_PROTOCOL`, or the signal's reason.
 */
export async function openTransport(
  target: UpstreamTarget,
  limits: ConversationLimits,
  signal: AbortSignal,
  readBuffer?: ReadBuffer,
): Promise<Socket> {
  const socket = await connected(target, signal, readBuffer);
  try {
    if (target.tls === 'disable') return socket;
    if (target.tlsNegotiation !== 'direct') await requestTls(socket, limits, signal);
    return await secured(socket, target, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** A socket between two owners: an error then is found again by the next one, as a socket that is destroyed. */
export function ignoreErrors(): void {}

function connected(target: UpstreamTarget, signal: AbortSignal, readBuffer: ReadBuffer | undefined): Promise<Socket> {
  const address = 'path' in target ? { path: target.path } : { host: target.host, port: target.port };
  const socket = connect(readBuffer === undefined ? address : { ...address, onread: readBuffer.options });
  readBuffer?.attach(socket);
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  const place = 'path' in target ? target.path : `${target.host}:${target.port}`;
  return established(socket, 'connect', signal, (cause) => {
    return new UpstreamError('UPSTREAM_UNREACHABLE', `the target ${place} can't be reached`, { cause });
  });
}

async function requestTls(socket: Socket, limits: ConversationLimits, signal: AbortSignal): Promise<void> {
  const conversation = new Conversation(socket, limits, signal);
  try {
    conversation.write(encodeStartupPacket({ kind: 'sslRequest' }));
    // Anything but 'S' ends it. An error message would be in the clear, from anybody, and is not shown.
    if ((await conversation.onlyByte()) !== NEGOTIATION_ACCEPTED) {
      throw new UpstreamError('UPSTREAM_TLS', 'the target offers no TLS: turn it on there (tls: disable is for loopback only)');
    }
  } finally {
    conversation.release();
  }
}

async function secured(socket: Socket, target: UpstreamTarget, signal: AbortSignal): Promise<Socket> {
  const host = 'host' in target ? target.host : undefined;
  const servername = target.servername ?? (host !== undefined && isIP(host) === 0 ? host : undefined);
  const secure = tls.connect({
    socket,
    ALPNProtocols: [ALPN],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: target.tls !== 'require',
    ...(host === undefined ? {} : { host }),
    ...(servername === undefined ? {} : { servername }),
    ...(target.ca === undefined ? {} : { ca: target.ca }),
    ...(target.tls === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  });
  await established(secure, 'secureConnect', signal, (cause) => {
    return new UpstreamError('UPSTREAM_TLS', `no TLS with the target: ${cause?.message ?? 'it closed the connection'}`, { cause });
  });
  const { alpnProtocol } = secure;
  if (target.tlsNegotiation === 'direct' ? alpnProtocol !== ALPN : alpnProtocol && alpnProtocol !== ALPN) {
    secure.destroy();
    throw new UpstreamError('UPSTREAM_TLS', `the target didn't agree to speak ${ALPN} over TLS`);
  }
  return secure;
}

/** Waits for a socket's `event`; destroys the socket when that doesn't come. */
function established<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  broken: (cause: Error | undefined) => UpstreamError,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null): void => {
      socket.off(event, onDone).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      socket.on('error', ignoreErrors);
      if (error === null) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const onDone = (): void => settle(null);
    const onError = (cause: Error): void => settle(broken(cause));
    const onClose = (): void => settle(broken(undefined));
    const onAbort = (): void => settle(signal.reason as Error);
    socket.on(event, onDone).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
