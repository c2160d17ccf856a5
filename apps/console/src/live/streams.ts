import type { Principal } from '@sallyport/identity';
import { ProblemError } from '../http/problem.js';
import type { Response } from '../http/request.js';
import type { ConsoleLimits } from '../limits.js';
import type { LiveFeed } from './feed.js';

export interface StreamRequest {
  readonly response: Response;
  readonly principal: Principal;
  /** Only this one. */
  readonly session: string | undefined;
  readonly nowMs: number;
}

/** Longer than Node's timers run; no token lives so long. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Server-sent events (HTML standard, section 9.2) of the session stream. `data` is the event as written; `id` its id. A reader that doesn't keep
 * up is cut off with `event: end` and the reason, and so is one whose token ends: nothing is skipped silently.
 */
export class LiveStreams {
  readonly #open = new Map<(reason: string) => void, string>();

  constructor(
    private readonly feed: LiveFeed,
    private readonly limits: Pick<
      ConsoleLimits,
      'maxLiveClients' | 'maxLiveClientsPerPrincipal' | 'liveClientMaxBytes' | 'liveHeartbeatMs'
    >,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /** @throws ProblemError BUSY */
  start({ response, principal, session, nowMs }: StreamRequest): void {
    const who = JSON.stringify([principal.issuer, principal.subject]);
    const theirs = [...this.#open.values()].filter((one) => one === who).length;
    if (this.#open.size >= this.limits.maxLiveClients)
      throw new ProblemError('BUSY', `${this.limits.maxLiveClients} live streams are open already`);
    if (theirs >= this.limits.maxLiveClientsPerPrincipal) throw new ProblemError('BUSY', `you have ${theirs} live streams open already`);

    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    const send = (text: string): void => {
      if (response.writableEnded) return;
      // One event goes out however large it is; what may not grow is the queue behind it.
      if (response.writableLength > 0 && response.writableLength + text.length > this.limits.liveClientMaxBytes)
        end('slow: you read slower than events come; start again from the last id');
      else response.write(text);
    };
    const stopListening = this.feed.listen((event, bytes) => {
      if (session === undefined || event.sessionid === session)
        send(`id: ${event.id}\nevent: ${event.type}\ndata: ${bytes.toString()}\n\n`);
    });
    const heartbeat = setInterval(() => send(': still here\n\n'), this.limits.liveHeartbeatMs);
    const leftMs = principal.expiresAtMs - nowMs;
    const expiry =
      leftMs > TIMER_MAX_MS ? undefined : setTimeout(() => end('expired: your token has ended; sign in again'), Math.max(leftMs, 0));
    const stop = (): void => {
      stopListening();
      clearInterval(heartbeat);
      clearTimeout(expiry);
      this.#open.delete(end);
    };
    const end = (reason: string): void => {
      stop();
      response.write(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
      response.end();
      // Who doesn't read doesn't read the end either.
      setTimeout(() => response.destroy(), this.limits.liveHeartbeatMs).unref();
    };
    this.#open.set(end, who);
    response.once('close', stop);
    send(': following\n\n');
  }

  close(): void {
    for (const end of Array.from(this.#open.keys())) end('shutdown: the console is going down');
  }
}
