import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Vendor } from '@sallyport/lease';

import { VENDOR } from './lease.controller.js';

/** Injection token of the pause between sweeps, in milliseconds. */
export const SWEEP_INTERVAL_MS = Symbol('SWEEP_INTERVAL_MS');

/** Sweeps at the start, for what a killed predecessor left, and then again and again. Sweeps don't overlap. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    @Inject(VENDOR) private readonly vendor: Vendor,
    @Inject(SWEEP_INTERVAL_MS) private readonly intervalMs: number,
  ) {}

  onApplicationBootstrap(): void {
    this.next(0);
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private next(pauseMs: number): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.running = this.vendor.sweep().finally(() => this.next(this.intervalMs));
    }, pauseMs);
    this.timer.unref();
  }
}
