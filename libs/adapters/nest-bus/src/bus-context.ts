import type { BusRecord } from '@sallyport/bus';
import { BaseRpcContext } from '@nestjs/microservices';

/** What a handler gets as `@Ctx()`: the record itself, with its bytes as written. */
export class BusContext extends BaseRpcContext<[BusRecord]> {
  get record(): BusRecord {
    return this.args[0];
  }
}
