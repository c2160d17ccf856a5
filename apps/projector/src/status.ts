import type { RebuildState } from '@sallyport/adapter-postgres-store';
import type { Checkpoints } from './checkpoints.js';
import { codeOf } from './errors.js';
import type { Ingest } from './ingest.js';
import type { CheckpointStatus } from './log-checkpoints.js';
import type { ModelStatus, TopicStatus } from './model-status.js';

export interface ProjectorStatus {
  /** All partitions, whichever replica has them. */
  readonly topics: readonly TopicStatus[];
  readonly checkpoints: readonly CheckpointStatus[];
  readonly rebuilding: boolean;
  /** The newest one, whichever replica does or did it. */
  readonly rebuild: RebuildState | null;
  /** Why this replica can't do its work now; empty when it can. */
  readonly notReady: readonly string[];
}

export async function projectorStatus(model: ModelStatus, ingest: Ingest, checkpoints: Checkpoints): Promise<ProjectorStatus> {
  const found = await model.get().catch((error: unknown) => codeOf(error));
  const { topics, rebuild, failure } = typeof found === 'string' ? { topics: [], rebuild: null, failure: null } : found;
  const signing = checkpoints.status;
  const isKnown = typeof found !== 'string' && failure === null;
  /** What a topic had to fight with is over when the store is where its log ends, and not beyond: no record need come to say so. */
  const isElsewhere = (name: string): boolean => !isKnown || topics.some(({ topic, next, end }) => topic === name && next !== end);
  return {
    topics,
    checkpoints: signing,
    rebuilding: rebuild?.state === 'running',
    rebuild,
    notReady: [
      ...(typeof found === 'string' ? [`log: ${found}`] : []),
      ...(failure === null ? [] : [`read model: ${failure}`]),
      ...ingest.failures(isElsewhere),
      ...checkpoints.failures.map((code) => `checkpoints: ${code}`),
      ...signing.flatMap(({ log, failure: code }) => (code === null ? [] : [`${log}: ${code}`])),
    ],
  };
}
