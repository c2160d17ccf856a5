import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { LeaseError, type LeaseGrant, type Vendor } from '@sallyport/lease';

import { askingEdge } from './caller.js';

/** Injection token of the {@link Vendor}. */
export const VENDOR = Symbol('VENDOR');

/** The caller gets code and message; what isn't ours to tell is an internal error without any words of its own. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LeaseError) throw new RpcException({ code: error.code, message: error.message });
    throw error;
  }
}

/** Requests of the edges. The payload is checked by the vendor. */
@Controller()
export class LeaseController {
  constructor(@Inject(VENDOR) private readonly vendor: Vendor) {}

  @MessagePattern('lease.obtain')
  async obtain(@Payload() request: unknown, @Ctx() context: unknown): Promise<LeaseGrant> {
    return answered(async () => this.vendor.obtain(request, askingEdge(context)));
  }

  @MessagePattern('lease.drop')
  async drop(@Payload() request: unknown, @Ctx() context: unknown): Promise<{ readonly dropped: true }> {
    await answered(async () => this.vendor.drop(request, askingEdge(context)));
    return { dropped: true };
  }
}
