import { type CustomTransportStrategy, Server, type WritePacket } from '@nestjs/microservices';
import { type Bus, type BusRecord, type Consumption } from '@sallyport/bus';
import { from, isObservable, lastValueFrom, mergeMap, type Observable, of, throwError } from 'rxjs';
import { BusContext } from './bus-context.js';
import { RequestError, toWireError } from './request-error.js';
import { decodeJson, encodeJson, repliesTopic, readRequestHeaders, type Reply, type RequestEnvelope, requestsTopic } from './wire.js';

export interface BusServerLimits {
  /** Requests that are with a handler. The next wait on the bus. */
  readonly maxRunningRequests: number;
  /** How long closing waits for them. */
  readonly drainTimeoutMs: number;
}

export const BUS_SERVER_LIMITS: BusServerLimits = { maxRunningRequests: 256, drainTimeoutMs: 10_000 };

export interface BusServerOptions extends Partial<BusServerLimits> {
  readonly bus: Bus;
  /** Whose requests are answered: `sallyport.SERVICE.requests`. Needed for `@MessagePattern` handlers. */
  readonly service?: string;
  /** Shares requests and record topics among instances. Default: the service's name. */
  readonly group?: string;
  /** A request that was dropped because nobody waits for it any more, for metrics. */
  onExpired?(): void;
}

export type BusStatus = 'listening' | 'closed';

/**
 * Nest's transporter over the Bus port. `@MessagePattern('name')` answers requests; `@EventPattern('topic')` consumes a record topic
 * by group, one record after the other, and commits behind each batch. An event handler that fails gets its batch again: nothing is skipped.
 * The bus belongs to the caller, who closes it.
 */
export class BusServer extends Server<Record<string, never>, BusStatus> implements CustomTransportStrategy {
  override readonly transportId = Symbol('sallyport-bus');
  override readonly propagatesEventHandlerErrors = true;
  readonly #consumptions: Consumption[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #ending = new Set<() => void>();
  readonly #maxRunning: number;
  #running = 0;
  #abandoning = false;

  constructor(private readonly options: BusServerOptions) {
    super();
    this.#maxRunning = options.maxRunningRequests ?? BUS_SERVER_LIMITS.maxRunningRequests;
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      const handlers = [...this.messageHandlers];
      if (handlers.some(([, handler]) => !handler.isEventHandler)) await this.#listenForRequests();
      for (const [topic, handler] of handlers) if (handler.isEventHandler) await this.#listenForEvents(topic);
      this._status$.next('listening');
    } catch (error) {
      await this.close();
      callback(error);
      return;
    }
    callback();
  }

  /** Takes nothing new, and waits for what is under way. */
  async close(): Promise<void> {
    const closing = Promise.all(this.#consumptions.splice(0).map((consumption) => consumption.close()));
    const late = setTimeout(() => {
      this.#abandoning = true;
      for (const end of this.#ending) end();
    }, this.options.drainTimeoutMs ?? BUS_SERVER_LIMITS.drainTimeoutMs);
    await closing;
    while (this.#running > 0) await new Promise<void>((proceed) => this.#waiting.push(proceed));
    clearTimeout(late);
    this._status$.next('closed');
  }

  unwrap<T>(): T {
    return this.options.bus as T;
  }

  on(): never {
    throw new RequestError('BUS_CLOSED', 'the bus has no events to listen for');
  }

  get #group(): string {
    const group = this.options.group ?? this.options.service;
    if (group === undefined) throw new TypeError('BusServer needs a service or a group');
    return group;
  }

  async #listenForRequests(): Promise<void> {
    const { bus, service } = this.options;
    if (service === undefined) throw new TypeError('BusServer needs a service for its @MessagePattern handlers');
    const consumption = await bus.consume({
      topic: requestsTopic(service),
      group: this.#group,
      start: { at: 'earliest' },
      onBatch: async (batch, context) => {
        // Before they are handled: a request isn't carried out twice because somebody was killed; its sender sees a time-out.
        await context.commit();
        for (const record of batch) await this.#takeRequest(record, service);
      },
      onError: (error) => this.logger.error(error),
    });
    this.#consumptions.push(consumption);
  }

  async #listenForEvents(topic: string): Promise<void> {
    const consumption = await this.options.bus.consume({
      topic,
      group: this.#group,
      start: { at: 'earliest' },
      onBatch: async (batch, context) => {
        for (const record of batch) await this.#handleRecord(topic, record);
        await context.commit();
      },
      onError: (error) => this.logger.error(error),
    });
    this.#consumptions.push(consumption);
  }

  async #handleRecord(topic: string, record: BusRecord): Promise<void> {
    const handler = this.getHandlerByPattern(topic);
    if (!handler) return;
    const context = new BusContext([record]);
    const data = decodeJson(record.value);
    await new Promise<void>((resolve, reject) => {
      this.runWithProcessingHooks(context, async (runEndHook) => {
        try {
          const result: unknown = await handler(data, context);
          if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
          resolve();
        } catch (error) {
          reject(
            error instanceof Error
              ? error
              : Object.assign(new RequestError('BUS_HANDLER_FAILED', `the handler of ${topic} failed`), toWireError(error)),
          );
        } finally {
          runEndHook();
        }
      });
    });
  }

  async #takeRequest(record: BusRecord, service: string): Promise<void> {
    const request = readRequestHeaders(record.headers);
    if (!request) {
      this.logger.error(`a record on ${record.topic} is no request (offset ${record.offset})`);
      return;
    }
    while (this.#running >= this.#maxRunning) await new Promise<void>((proceed) => this.#waiting.push(proceed));
    const leftMs = request.deadlineMs - Date.now();
    if (leftMs <= 0 || this.#abandoning) {
      this.options.onExpired?.();
      return;
    }
    this.#handle(record, request, service, leftMs);
  }

  #handle(record: BusRecord, request: RequestEnvelope, service: string, leftMs: number): void {
    const context = new BusContext([record]);
    this.#running += 1;
    const release = (): void => {
      if (!this.#ending.delete(end)) return;
      clearTimeout(timer);
      this.#running -= 1;
      this.#waiting.shift()?.();
    };
    let subscription: { unsubscribe(): void } | undefined;
    let over = false;
    // Nobody waits any more: a handler that hangs must not keep its place for ever, nor its end be taken for an answer.
    const end = (): void => {
      over = true;
      release();
      subscription?.unsubscribe();
    };
    const timer = setTimeout(end, Math.min(leftMs, 2 ** 31 - 1));
    this.#ending.add(end);
    this.runWithProcessingHooks(context, async (runEndHook) => {
      subscription = this.send(this.#answer(record, request, context), async (packet) => {
        if (packet.isDisposed) {
          runEndHook();
          release();
        }
        if (!over) await this.#reply(request, service, packet);
      });
    });
  }

  #answer(record: BusRecord, request: RequestEnvelope, context: BusContext): Observable<unknown> {
    try {
      const handler = this.getHandlerByPattern(request.pattern);
      if (!handler || handler.isEventHandler) throw new RequestError('BUS_NO_HANDLER', 'the service has no handler for this request');
      return from(Promise.resolve(handler(decodeJson(record.value), context))).pipe(
        mergeMap((result: unknown) => (isObservable(result) ? result : of(result))),
      );
    } catch (error) {
      return throwError(() => error);
    }
  }

  async #reply(request: RequestEnvelope, service: string, { err, response, isDisposed = false }: WritePacket): Promise<void> {
    const reply: Reply =
      err === undefined || err === null ? { response: response as unknown, isDisposed } : { error: toWireError(err), isDisposed: true };
    try {
      await this.#send(request, service, reply);
    } catch (error) {
      // Too large, or no JSON: who asked gets to know that much.
      this.logger.error(error);
      const { code } = toWireError(error);
      await this.#send(request, service, { error: { code, message: 'the answer could not be sent' }, isDisposed: true });
    }
  }

  async #send({ id, client, replyPartition }: RequestEnvelope, service: string, reply: Reply): Promise<void> {
    await this.options.bus.produce(repliesTopic(service), [
      { key: client, value: encodeJson(reply), headers: { id, client }, partition: replyPartition },
    ]);
  }
}
