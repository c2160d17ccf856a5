import type { WritePacket } from '@nestjs/microservices';
import { RequestError } from './request-error.js';
import type { RequestSender } from './request-sender.js';
import type { WireReply } from './wire.js';

export interface RequestToSend {
  readonly id: number;
  readonly pattern: string;
  readonly dataJson: string;
  readonly bytes: number;
  readonly timeoutMs: number;
  readonly resendAfterMs: number | undefined;
}

interface Waiting {
  readonly callback: (packet: WritePacket) => void;
  readonly timeout: NodeJS.Timeout;
  resend: NodeJS.Timeout | undefined;
  /** The partition that it went to first. */
  lane: number | undefined;
  /** Sends that have not failed. */
  underWay: number;
  /** Who has answered first; others are not heard. */
  server: string | undefined;
  /** The number of the reply that comes next. */
  next: number;
  readonly sendAgain: () => void;
}

/** The requests that wait for an answer, each until it has one or its time is over. */
export class Outstanding {
  readonly #waiting = new Map<number, Waiting>();

  constructor(private readonly sender: Pick<RequestSender, 'send' | 'canResend'>) {}

  get size(): number {
    return this.#waiting.size;
  }

  ask({ id, pattern, dataJson, bytes, timeoutMs, resendAfterMs }: RequestToSend, callback: (packet: WritePacket) => void): void {
    const deadlineMs = performance.now() + timeoutMs;
    const expired = (): void => this.#end(id, { err: new RequestError('BUS_REQUEST_TIMEOUT', `no answer within ${timeoutMs} ms`) });
    const send = (lane?: number): boolean =>
      this.sender.send({
        id,
        pattern,
        dataJson,
        bytes,
        deadlineMs,
        ...(lane === undefined ? {} : { lane }),
        isWanted: () => this.#waiting.has(id),
        onSent: (partition) => (waiting.lane ??= partition),
        onFailed: (error) => this.#failed(id, error),
      });
    const sendAgain = (): void => {
      clearTimeout(waiting.resend);
      waiting.resend = undefined;
      // Not sent yet: what is slow is not the server.
      if (waiting.lane !== undefined && this.sender.canResend && send(waiting.lane)) waiting.underWay += 1;
    };
    const waiting: Waiting = {
      callback,
      sendAgain,
      lane: undefined,
      underWay: 1,
      server: undefined,
      next: 0,
      timeout: setTimeout(expired, timeoutMs),
      resend: resendAfterMs === undefined ? undefined : setTimeout(sendAgain, resendAfterMs),
    };
    this.#waiting.set(id, waiting);
    if (!send()) this.#end(id, { err: new RequestError('BUS_TOO_MANY_REQUESTS', 'too much waits to be sent') });
  }

  /** False when nobody waits for it. */
  take(server: string, { id, n, last, data, error }: WireReply): boolean {
    const waiting = this.#waiting.get(id);
    if (!waiting || n !== waiting.next || server !== (waiting.server ?? server)) return false;
    waiting.server = server;
    waiting.next += 1;
    clearTimeout(waiting.resend);
    if (error) this.#end(id, { err: new RequestError(error.code, error.message) });
    else if (last) this.#end(id, { response: data, isDisposed: true });
    else waiting.callback({ response: data });
    return true;
  }

  forget(id: number): void {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timeout);
    clearTimeout(waiting?.resend);
    this.#waiting.delete(id);
  }

  endAll(err: unknown): void {
    for (const id of this.#waiting.keys()) this.#end(id, { err });
  }

  /** One that may be sent once more is, at once; otherwise that was it. */
  #failed(id: number, error: unknown): void {
    const waiting = this.#waiting.get(id);
    if (!waiting || waiting.server !== undefined) return;
    waiting.underWay -= 1;
    if (waiting.resend) waiting.sendAgain();
    if (waiting.underWay === 0) this.#end(id, { err: error });
  }

  #end(id: number, packet: WritePacket): void {
    const waiting = this.#waiting.get(id);
    this.forget(id);
    waiting?.callback(packet);
  }
}
