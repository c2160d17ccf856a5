import { setTimeout as pause } from 'node:timers/promises';

export const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 10_000;

export interface Supervised {
  /** Tells the work to stop, and waits for it. */
  stop(): Promise<void>;
}

/** What a work is given: when to stop, and whom to tell that it goes well, which makes the next pause short again. */
export interface Supervision {
  readonly signal: AbortSignal;
  readonly well: () => void;
}

/** Runs a work over and over, with a pause that grows while it fails, until it is stopped. */
export function supervised(work: (supervision: Supervision) => Promise<void>, onError: (error: unknown) => void): Supervised {
  const stopping = new AbortController();
  const { signal } = stopping;
  let pauseMs = FIRST_PAUSE_MS;
  const well = (): void => {
    pauseMs = FIRST_PAUSE_MS;
  };
  const running = (async () => {
    while (!signal.aborted) {
      try {
        await work({ signal, well });
      } catch (error) {
        if (signal.aborted) return;
        onError(error);
      }
      // Also after a work that ended by itself: it wants to start anew, and not in a tight loop.
      await pause(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Resolves when the signal does. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
