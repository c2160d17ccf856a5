import type { BusRecord } from '@sallyport/bus';
import { BaseRpcContext } from '@nestjs/microservices';
import type { Service } from '@sallyport/trust';
import { RequestError } from './request-error.js';

/** What a handler gets as `@Ctx()`: the record itself, with its bytes as written. */
export class BusContext extends BaseRpcContext<[BusRecord, Service?]> {
  get record(): BusRecord {
    return this.args[0];
  }

  /** The enrolled service that asks, as its signature shows it. An event has none: throws `BUS_NOT_ALLOWED`. */
  get caller(): Service {
    const [, caller] = this.args;
    if (!caller) throw new RequestError('BUS_NOT_ALLOWED', 'an event is not asked by anybody');
    return caller;
  }
}
