import { encodeStartupPacket } from '@sallyport/wire-postgres';

import { Conversation } from './conversation.js';
import { Deadline } from './deadline.js';
import type { BackendKey } from './sign-in.js';
import type { UpstreamTarget } from './target.js';
import { openTransport } from './transport.js';

/** A server answers a CancelRequest by closing. */
const LIMITS = { maxFrameBytes: 1024, maxHandshakeBytes: 1024 };

export interface UpstreamCancel {
  readonly key: BackendKey;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks the target to cancel what a session runs, over a connection of its own with the same TLS. Resolves when the target has
 * taken the request; it never says whether there was anything to cancel (chapter 'Canceling Requests in Progress').
 *
 * Rejects with {@link UpstreamError}.
 */
export async function cancelUpstream(target: UpstreamTarget, { key, timeoutMs, signal }: UpstreamCancel): Promise<void> {
  const deadline = new Deadline(timeoutMs, signal);
  try {
    const socket = await openTransport(target, LIMITS, deadline.signal);
    const conversation = new Conversation(socket, LIMITS, deadline.signal);
    try {
      conversation.write(encodeStartupPacket({ kind: 'cancelRequest', ...key }));
      await conversation.closed();
    } finally {
      conversation.release();
      socket.destroy();
    }
  } finally {
    deadline.dispose();
  }
}
