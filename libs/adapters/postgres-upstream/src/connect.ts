import type { OnReadOpts, Socket } from 'node:net';

import { WireError } from '@sallyport/wire-postgres';

import { Conversation } from './conversation.js';
import { Deadline } from './deadline.js';
import { UpstreamError } from './errors.js';
import { ReadBuffer } from './read-buffer.js';
import { type SignedIn, signIn, type UpstreamProtocol } from './sign-in.js';
import { isVerified, type UpstreamTarget } from './target.js';
import { ignoreErrors, openTransport } from './transport.js';

export const DEFAULT_MAX_HANDSHAKE_BYTES = 1024 * 1024;

export interface UpstreamLimits {
  /** From the first packet to ReadyForQuery. */
  readonly connectTimeoutMs: number;
  /** Of one frame, header included. */
  readonly maxFrameBytes: number;
  /** Of all that the target may say before it is ready. Default 1 MiB. */
  readonly maxHandshakeBytes?: number;
}

export interface UpstreamLogin {
  readonly protocol: UpstreamProtocol;
  /** The startup packet's: `user`, `database`, `application_name`, `options` and other settings. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Never logged, never in an error. */
  readonly password?: string;
  readonly limits: UpstreamLimits;
  readonly signal?: AbortSignal;
  /**
   * With `tls: disable`, what the target says after sign-in is read into this buffer and told to this callback, and there are no
   * 'data' events (`onread` of net.connect). Node can't do it over STARTTLS-style TLS, and then this is passed over: see
   * {@link Upstream.usesOnread}.
   */
  readonly onread?: OnReadOpts;
}

/** A session at the target that is ready and waits. */
export interface Upstream extends SignedIn {
  /**
   * Paused, and with no listener of ours: put yours on (an 'error' listener in the same turn) and call `resume()`. A
   * `tls.TLSSocket` unless `tls` is `disable`.
   */
  readonly socket: Socket;
  /** What the target sent behind ReadyForQuery; comes before what the socket gives. */
  readonly leftover: Buffer;
  /** The target's bytes come to the callback of `onread`. False: as 'data' events. */
  readonly usesOnread: boolean;
}

/**
 * Connects to a target and signs in: SCRAM-SHA-256, with channel binding inside TLS; clear text and MD5 only to a server whose
 * certificate was checked.
 *
 * Rejects with {@link UpstreamError}; the socket is then destroyed.
 */
export async function connectUpstream(target: UpstreamTarget, login: UpstreamLogin): Promise<Upstream> {
  const { maxFrameBytes, connectTimeoutMs, maxHandshakeBytes = DEFAULT_MAX_HANDSHAKE_BYTES } = login.limits;
  const limits = { maxFrameBytes, maxHandshakeBytes };
  const deadline = new Deadline(connectTimeoutMs, login.signal);
  const readBuffer = login.onread !== undefined && target.tls === 'disable' ? new ReadBuffer(login.onread) : undefined;
  try {
    const socket = await openTransport(target, limits, deadline.signal, readBuffer);
    const conversation = new Conversation(socket, limits, deadline.signal);
    try {
      const { protocol, parameters, password } = login;
      const signedIn = await signIn(conversation, { protocol, parameters, password, verified: isVerified(target) });
      const leftover = conversation.release();
      // Its 'close' has been and gone: nobody would hear of it again.
      if (socket.destroyed) throw new UpstreamError('UPSTREAM_UNREACHABLE', 'the target closed the connection');
      socket.off('error', ignoreErrors);
      readBuffer?.handOver();
      return { ...signedIn, socket, leftover, usesOnread: readBuffer !== undefined };
    } catch (error) {
      conversation.release();
      socket.destroy();
      throw error;
    }
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new UpstreamError('UPSTREAM_PROTOCOL', `the startup parameters or the password have no encoding: ${cause.message}`, { cause });
  } finally {
    deadline.dispose();
  }
}
