import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Service } from '@sallyport/trust';
import { firstValueFrom, from, isObservable } from 'rxjs';

/** For specs: a Nest transport without a wire, that says who asks as one with signed requests does. What crosses it is JSON all the same. */
export class DirectTransport extends Server<Record<string, never>, never> implements CustomTransportStrategy {
  override readonly transportId = Symbol('direct');

  listen(callback: () => void): void {
    callback();
  }

  close(): void {
    this.messageHandlers.clear();
  }

  on(): never {
    throw new TypeError('nothing to listen for');
  }

  unwrap<T>(): T {
    return this as unknown as T;
  }

  /** Rejects with what the handler's RpcException carries: `{ code, message }`. */
  async request<T>(pattern: string, data: unknown, caller?: Service): Promise<T> {
    const handler = this.getHandlerByPattern(pattern);
    if (!handler) throw new Error(`no handler for ${pattern}`);
    const result: unknown = await handler(JSON.parse(JSON.stringify(data)), caller ? { caller } : {});
    return JSON.parse(JSON.stringify(await firstValueFrom(isObservable(result) ? result : from([result])))) as T;
  }
}
