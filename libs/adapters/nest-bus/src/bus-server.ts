import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Bus, BusRecord, Consumption } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { type Role, type Roster, serviceOf } from '@sallyport/trust';
import { isObservable, lastValueFrom } from 'rxjs';
import { BusContext } from './bus-context.js';
import { type BusServerLimits, serverLimits } from './bus-server-limits.js';
import { Places } from './places.js';
import { ReplySender } from './reply-sender.js';
import { RequestError, type RequestErrorCode, toWireError } from './request-error.js';
import { type Asked, type DistrustedRequest, RequestIntake } from './request-intake.js';
import { answerOf, answersOf, RunningRequest } from './running-request.js';
import { SERVICE_ROLES } from './service-roles.js';
import { decodeJson, type RequestService, requestsTopic } from './wire.js';

export interface BusServerOptions extends Partial<BusServerLimits> {
  readonly bus: Bus;
  /** Whose requests are answered: `sallyport.SERVICE.requests`. Needed for `@MessagePattern` handlers. */
  readonly service?: RequestService;
  /** Shares requests and record topics among instances. Default: the service's name. */
  readonly group?: string;
  /** Signs the replies. Its role must be the service's, see `SERVICE_ROLES`. */
  readonly key: SigningKey;
  readonly roster: Roster;
  /** Pattern → who may ask for it. What isn't here may be asked by nobody (`BUS_NOT_ALLOWED`). */
  readonly callers?: Readonly<Record<string, readonly Role[]>>;
  /** A request that was dropped because nobody waits for it any more, for metrics. */
  onExpired?(): void;
  /** Told of every request that was not believed, for metrics. The record is somebody's: log its offset, not its bytes. */
  onDistrusted?(reason: DistrustedRequest, record: BusRecord): void;
  /** Told of what goes wrong where nobody waits for an answer. Default: Nest's logger. */
  onError?(error: unknown): void;
  /** Milliseconds since the epoch. Default: the system's clock. */
  nowMs?(): number;
}

export type BusStatus = 'listening' | 'closed';

/**
 * Nest's transporter over the Bus port. `@MessagePattern('name')` answers requests of enrolled services (ADR 0019); `@EventPattern('topic')`
 * consumes a record topic by group, one record after the other, and commits behind each batch. An event handler that fails gets its batch
 * again: nothing is skipped. The bus belongs to the caller, who closes it.
 */
export class BusServer extends Server<Record<string, never>, BusStatus> implements CustomTransportStrategy {
  override readonly transportId = Symbol('sallyport-bus');
  override readonly propagatesEventHandlerErrors = true;
  readonly #consumptions: Consumption[] = [];
  readonly #running = new Set<RunningRequest>();
  readonly #limits: BusServerLimits;
  readonly #places: Places;
  #replies: ReplySender | undefined;
  #abandoning = false;

  constructor(private readonly options: BusServerOptions) {
    super();
    this.#limits = serverLimits(options);
    this.#places = new Places(this.#limits);
  }

  #trouble(error: unknown): void {
    if (this.options.onError) this.options.onError(error);
    else this.logger.error(error);
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

  /** Takes nothing new, and waits for what is under way and for its replies to be on the bus. */
  async close(): Promise<void> {
    const closing = Promise.all(this.#consumptions.splice(0).map((consumption) => consumption.close()));
    let abandon = (): void => undefined;
    const abandoned = new Promise<void>((resolve) => (abandon = resolve));
    const late = setTimeout(() => {
      this.#abandoning = true;
      for (const request of this.#running) request.end();
      abandon();
    }, this.#limits.drainTimeoutMs);
    await closing;
    await this.#places.empty();
    await Promise.race([this.#replies?.sent(), abandoned]);
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
    const { bus, service, key, roster, callers = {}, nowMs = Date.now } = this.options;
    if (service === undefined) throw new TypeError('BusServer needs a service for its @MessagePattern handlers');
    if (serviceOf(key.name)?.role !== SERVICE_ROLES[service])
      throw new RequestError('BUS_NOT_ALLOWED', `${key.name} can't answer for ${service}: nobody would believe it`);
    const onError = (error: unknown): void => this.#trouble(error);
    const replies = (this.#replies = new ReplySender({ ...this.#limits, bus, service, key, onError }));
    const intake = new RequestIntake({
      ...this.#limits,
      roster,
      callers,
      nowMs,
      monotonicMs: () => performance.now(),
      onAsked: (asked) => this.#enter(asked, replies),
      onRefused: (asked) => refuse(replies, asked, 'BUS_NOT_ALLOWED', 'this service may not ask for it'),
      onDistrusted: (reason, record) => this.options.onDistrusted?.(reason, record),
      onExpired: () => this.options.onExpired?.(),
    });
    const consumption = await bus.consume({
      topic: requestsTopic(service),
      group: this.#group,
      start: { at: 'earliest' },
      onBatch: async (batch, context) => {
        for (const record of batch) intake.take(record);
        context.commitSoon();
      },
      onError,
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
      onError: (error) => this.#trouble(error),
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

  #enter(asked: Asked, replies: ReplySender): void {
    const { name } = asked.caller;
    const taken = this.#places.take(name, asked.bytes, () => {
      const leftMs = asked.deadlineMs - performance.now();
      if (leftMs > 0 && !this.#abandoning) return this.#handle(asked, replies, leftMs);
      this.options.onExpired?.();
      this.#places.release(name);
    });
    if (!taken) refuse(replies, asked, 'BUS_TOO_MANY_REQUESTS', 'too many requests of this service wait here');
  }

  #handle(asked: Asked, replies: ReplySender, leftMs: number): void {
    const running = new RunningRequest(leftMs, () => {
      this.#running.delete(running);
      this.#places.release(asked.caller.name);
    });
    this.#running.add(running);
    const context = new BusContext([asked.record, asked.caller]);
    this.runWithProcessingHooks(context, async (runEndHook) => {
      const answers = answersOf(this.getHandlerByPattern(asked.request.pattern), asked, context);
      const subscription = this.send(answers, (packet) => {
        const n = running.nextReply();
        // Before the place is free: closing waits for places first, and for replies then.
        if (n !== undefined) replies.send(asked, answerOf(packet, n));
        if (!packet.isDisposed) return;
        runEndHook();
        running.release();
      });
      running.runs(subscription);
    });
  }
}

function refuse(replies: ReplySender, asked: Asked, code: RequestErrorCode, message: string): void {
  replies.send(asked, { n: 0, last: true, error: { code, message } });
}
