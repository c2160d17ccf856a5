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
  /** Why it can't do its work now; empty when it can. */
  readonly notReady: readonly string[];
}

/** The projector, as the console asks it. */
export interface ProjectionsPort {
  status(): Promise<ProjectionsStatus>;
  /** Resolves when the new read model is in the place of the old one; rejects with an error that has a `code`. */
  rebuild(): Promise<void>;
}
