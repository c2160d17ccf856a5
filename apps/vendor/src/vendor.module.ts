import { type DynamicModule, Module } from '@nestjs/common';
import type { Vendor } from '@sallyport/lease';

import { LeaseController, VENDOR } from './lease.controller.js';
import { SWEEP_INTERVAL_MS, Sweeper } from './sweeper.js';

@Module({})
export class VendorModule {
  static with(vendor: Vendor, sweepIntervalMs: number): DynamicModule {
    return {
      module: VendorModule,
      controllers: [LeaseController],
      providers: [{ provide: VENDOR, useValue: vendor }, { provide: SWEEP_INTERVAL_MS, useValue: sweepIntervalMs }, Sweeper],
    };
  }
}
