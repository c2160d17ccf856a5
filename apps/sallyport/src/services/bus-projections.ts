import type { ProjectionsPort } from '@sallyport/console';
import type { ProjectorStatusOnWire, RebuildState } from '@sallyport/projector';

/** One request over the bus, as `BusClient.request` of the service `projector`. */
export type Ask = <Result>(pattern: string, data: unknown) => Promise<Result>;

/** Begun a second time it is the same rebuild, so an answer that was lost is asked for again. */
const REBUILD_TRIES = 3;

/** The projectors in other processes: whichever takes the request answers for all of them. */
export function busProjections(ask: Ask): ProjectionsPort {
  return {
    async status() {
      const { topics, ...status } = await ask<ProjectorStatusOnWire>('projections.status', {});
      return {
        ...status,
        topics: topics.map(({ next, end, lag, ...partition }) => ({
          ...partition,
          next: BigInt(next),
          end: BigInt(end),
          lag: BigInt(lag),
        })),
      };
    },
    async rebuild(id) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await ask<RebuildState>('projections.rebuild', { id });
        } catch (error) {
          if (tries === REBUILD_TRIES || (error as { code?: unknown } | null)?.code !== 'BUS_REQUEST_TIMEOUT') throw error;
        }
      }
    },
  };
}
