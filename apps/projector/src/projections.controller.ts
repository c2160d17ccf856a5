import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { RebuildState } from '@sallyport/adapter-postgres-store';
import { codeOf, ProjectorError } from './errors.js';
import type { ProjectorStatus } from './status.js';

/** Injection token of the {@link ProjectionsAsked}. */
export const PROJECTIONS_ASKED = Symbol('PROJECTIONS_ASKED');

export interface ProjectionsAsked {
  status(): Promise<ProjectorStatus>;
  beginRebuild(id: string): Promise<RebuildState>;
}

/** {@link ProjectorStatus} as JSON: offsets are strings of digits. */
export type ProjectorStatusOnWire = Omit<ProjectorStatus, 'topics'> & {
  readonly topics: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly next: string;
    readonly end: string;
    readonly lag: string;
  }[];
};

const ID_MAX_CHARS = 128;

/** Requests of consoles, to whichever replica gets them: each can tell of all partitions, and each can rebuild. */
@Controller()
export class ProjectionsController {
  constructor(@Inject(PROJECTIONS_ASKED) private readonly projections: ProjectionsAsked) {}

  @MessagePattern('projections.status')
  async status(): Promise<ProjectorStatusOnWire> {
    const status = await answered(this.projections.status());
    const topics = status.topics.map(({ next, end, lag, ...partition }) => ({
      ...partition,
      next: String(next),
      end: String(end),
      lag: String(lag),
    }));
    return { ...status, topics };
  }

  /** P7: begins it and answers at once; the status tells how it goes. The same id again, on any replica, is the same rebuild. */
  @MessagePattern('projections.rebuild')
  async rebuild(@Payload() request: unknown): Promise<RebuildState> {
    const { id } = (request ?? {}) as { readonly id?: unknown };
    if (typeof id !== 'string' || id === '' || id.length > ID_MAX_CHARS)
      throw new RpcException({ code: 'PROJECTOR_REQUEST', message: `a rebuild has an id of 1 to ${ID_MAX_CHARS} characters` });
    return answered(this.projections.beginRebuild(id));
  }
}

/** Whoever asks gets the code. Messages of the store hold no URL and no row. */
async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProjectorError) && !codeOf(error).startsWith('STORE_')) throw error;
    throw new RpcException({ code: codeOf(error), message: (error as Error).message });
  }
}
