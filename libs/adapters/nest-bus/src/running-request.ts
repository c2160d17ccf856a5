import type { WritePacket } from '@nestjs/microservices';
import { from, isObservable, mergeMap, type Observable, of, throwError } from 'rxjs';
import type { BusContext } from './bus-context.js';
import { RequestError, toWireError } from './request-error.js';
import type { Asked } from './request-intake.js';
import type { Answer } from './reply-sender.js';

type Handler = ((data: unknown, context: BusContext) => unknown) & { readonly isEventHandler?: boolean | undefined };

/** What the handler answers, as a stream. */
export function answersOf(handler: Handler | null, { request }: Asked, context: BusContext): Observable<unknown> {
  try {
    if (!handler || handler.isEventHandler) throw new RequestError('BUS_NO_HANDLER', 'the service has no handler for this request');
    return from(Promise.resolve(handler(request.data, context))).pipe(
      mergeMap((result: unknown) => (isObservable(result) ? result : of(result))),
    );
  } catch (error) {
    return throwError(() => error);
  }
}

export function answerOf({ err, response, isDisposed = false }: WritePacket, n: number): Answer {
  return err === undefined || err === null
    ? { n, last: isDisposed, data: response as unknown }
    : { n, last: true, error: toWireError(err) };
}

/** A request that is with its handler, until it is answered, or nobody waits any more, or the server gives it up. */
export class RunningRequest {
  #over = false;
  #released = false;
  #replies = 0;
  #subscription: { unsubscribe(): void } | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(
    leftMs: number,
    private readonly onReleased: () => void,
  ) {
    this.#timer = setTimeout(() => this.end(), Math.min(leftMs, 2 ** 31 - 1));
  }

  /** The number of the next reply; undefined when nobody waits for one. */
  nextReply(): number | undefined {
    return this.#over ? undefined : this.#replies++;
  }

  runs(subscription: { unsubscribe(): void }): void {
    this.#subscription = subscription;
    if (this.#over) subscription.unsubscribe();
  }

  /** A handler that hangs must not keep its place for ever, nor its end be taken for an answer. */
  end(): void {
    this.#over = true;
    this.release();
    this.#subscription?.unsubscribe();
  }

  /** The handler has answered: its place is free. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    clearTimeout(this.#timer);
    this.onReleased();
  }
}
