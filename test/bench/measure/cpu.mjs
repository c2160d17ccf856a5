import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** USER_HZ: what /proc counts in, on every Linux. */
const MICROS_PER_TICK = 10_000;
const SAMPLE_EVERY_MS = 100;
const SETTLED_TICKS = 1;
const SETTLED_SAMPLES = 3;

/** Whether this platform says what a process has used. */
export const CPU_IS_KNOWN = process.platform === 'linux';

/** utime + stime of one /proc/…/stat, in ticks (proc(5)). The name before it may hold spaces and brackets. */
function ticksOf(path) {
  const fields = readFileSync(path, 'utf8').split(') ').at(-1).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function snapshot(pid) {
  const threads = new Map();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      threads.set(thread, ticksOf(`/proc/${pid}/task/${thread}/stat`));
    } catch {
      // It ended meanwhile; the process's own count keeps its time.
    }
  }
  return { atMs: Date.now(), ticks: ticksOf(`/proc/${pid}/stat`), threads };
}

/**
 * Watches the CPU time of a process, all threads, while something runs. `between(fromMs, toMs)` tells what was used in the longest
 * part of that time that samples cover: `{ fromMs, toMs, micros, busiestThreadMicros }`, or undefined when it was too short.
 */
export function watchCpu(pid) {
  const samples = [snapshot(pid)];
  const timer = setInterval(() => samples.push(snapshot(pid)), SAMPLE_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      samples.push(snapshot(pid));
    },
    between(fromMs, toMs) {
      const first = samples.find(({ atMs }) => atMs >= fromMs);
      const last = samples.findLast(({ atMs }) => atMs <= toMs);
      if (!first || !last || last.atMs <= first.atMs) return undefined;
      const threads = [...last.threads].map(([thread, ticks]) => ticks - (first.threads.get(thread) ?? 0));
      return {
        fromMs: first.atMs,
        toMs: last.atMs,
        micros: (last.ticks - first.ticks) * MICROS_PER_TICK,
        busiestThreadMicros: Math.max(...threads) * MICROS_PER_TICK,
      };
    },
  };
}

/** Resolves when the process does nothing more, so that what it left for later isn't paid by the peer after it. */
export async function settled(pid, maxMs) {
  if (!CPU_IS_KNOWN || pid === undefined) return;
  const end = Date.now() + maxMs;
  for (let quiet = 0, before = snapshot(pid).ticks; quiet < SETTLED_SAMPLES && Date.now() < end;) {
    await sleep(SAMPLE_EVERY_MS);
    const { ticks } = snapshot(pid);
    quiet = ticks - before <= SETTLED_TICKS ? quiet + 1 : 0;
    before = ticks;
  }
}
