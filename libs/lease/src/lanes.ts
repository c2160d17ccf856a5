export interface LaneLimits {
  /** Pieces of work for one target at one time. */
  readonly maxPerTarget: number;
  /** More of them that wait for one target. */
  readonly maxWaitingPerTarget: number;
  /** How long one may take before nobody waits for this target any more. */
  readonly patienceMs: number;
}

export const LANE_LIMITS: LaneLimits = { maxPerTarget: 8, maxWaitingPerTarget: 1000, patienceMs: 2000 };

interface Lane {
  running: number;
  /** Work under way that has taken longer than `patienceMs`. */
  overdue: number;
  readonly waiting: (() => void)[];
  readonly onOverdue: Set<() => void>;
}

/** Work on many targets, where one that hangs must hold up neither the others nor whoever hands the work in. */
export interface Lanes {
  /**
   * Resolves when the work was tried; or at once when the target is overdue, while the work goes on; or without the work when too much
   * waits for the target already. Never rejects. What was not done is the sweep's.
   */
  run(target: string, work: () => Promise<void>): Promise<void>;
}

export function lanes(options: Partial<LaneLimits> = {}): Lanes {
  const { maxPerTarget, maxWaitingPerTarget, patienceMs } = { ...LANE_LIMITS, ...options };
  const byTarget = new Map<string, Lane>();

  const laneOf = (target: string): Lane => {
    const lane = byTarget.get(target) ?? { running: 0, overdue: 0, waiting: [], onOverdue: new Set() };
    byTarget.set(target, lane);
    return lane;
  };

  const tried = async (lane: Lane, work: () => Promise<void>): Promise<void> => {
    if (lane.running < maxPerTarget) lane.running += 1;
    else await new Promise<void>((turn) => lane.waiting.push(turn));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      lane.overdue += 1;
      for (const tell of lane.onOverdue) tell();
    }, patienceMs);
    try {
      await work();
    } catch {
      // Told by who does the work.
    } finally {
      clearTimeout(timer);
      if (late) lane.overdue -= 1;
      const next = lane.waiting.shift();
      if (next) next();
      else lane.running -= 1;
    }
  };

  return {
    async run(target, work) {
      const lane = laneOf(target);
      if (lane.running >= maxPerTarget && lane.waiting.length >= maxWaitingPerTarget) return;
      const done = tried(lane, work);
      if (lane.overdue > 0) return;
      let tell = (): void => undefined;
      const overdue = new Promise<void>((resolve) => (tell = resolve));
      lane.onOverdue.add(tell);
      await Promise.race([done, overdue]);
      lane.onOverdue.delete(tell);
    },
  };
}
