/** How far the read models are, as the projector tells it. */
export interface ProjectionsStatus {
  readonly topics: readonly {
    readonly topic: string;
    readonly partition: number;
    /** The read model has every record before it. */
    readonly next: bigint;
    /** Where the log ends. */
    readonly end: bigint;
    readonly lag: bigint;
  }[];
  readonly checkpoints: readonly {
    readonly log: string;
    readonly signed: number;
    readonly state: string;
    readonly failure: string | null;
  }[];
  readonly rebuilding: boolean;
  /** The newest one, whoever asked for it and whichever projector does or did it; null before there was one. */
  readonly rebuild: RebuildState | null;
  /** Why it can't do its work now; empty when it can. */
  readonly notReady: readonly string[];
}

/** How a rebuild goes. Times are RFC 3339. */
export interface RebuildState {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly started: string;
  readonly ended: string | null;
  /** Why it failed, as a code. */
  readonly failure: string | null;
}

/** The projectors, as the console asks them: any of them answers for all. */
export interface ProjectionsPort {
  status(): Promise<ProjectionsStatus>;
  /**
   * Begins one, and doesn't wait for its end: `status` tells. One that is under way is joined: then the state has that one's id. Asked again
   * with the same id, it is the same one. Rejects with an error that has a `code`.
   */
  rebuild(id: string): Promise<RebuildState>;
}
