import type { RebuildState } from '@sallyport/console';
import { type ConsoleClient, consoleClient } from '../console-client.js';
import { CliError, EXIT } from '../exit.js';
import type { Io } from '../io.js';
import type { GlobalOptions } from '../settings.js';
import { type Column, type ListFormat, renderTable } from '../table.js';
import { count, duration } from '../units.js';

interface Status {
  readonly topics: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly next: number;
    readonly end: number;
    readonly lag: number;
  }[];
  readonly checkpoints: readonly {
    readonly log: string;
    readonly signed: number;
    readonly state: string;
    readonly failure: string | null;
  }[];
  readonly rebuilding: boolean;
  readonly rebuild: RebuildState | null;
  readonly notReady: readonly string[];
}

const TOPICS: readonly Column<Status['topics'][number]>[] = [
  { title: 'LOG', value: ({ topic, partition }) => `${topic}/${partition}` },
  { title: 'READ', value: ({ next }) => next, right: true },
  { title: 'LOG HAS', value: ({ end }) => end, right: true },
  { title: 'BEHIND', value: ({ lag }) => lag, right: true },
];

const CHECKPOINTS: readonly Column<Status['checkpoints'][number]>[] = [
  { title: 'LOG', value: ({ log }) => log },
  { title: 'SIGNED', value: ({ signed }) => (signed < 0 ? null : signed), right: true },
  { title: 'STATE', value: ({ state, failure }) => (failure === null ? state : `${state}: ${failure}`) },
];

const POLL_MS = 500;

/** True when nothing is behind and nothing is wrong. */
export async function status(options: GlobalOptions & { readonly format: ListFormat }, io: Io): Promise<boolean> {
  const found = await read(consoleClient(options, io));
  if (options.format === 'json') io.out(`${JSON.stringify(found, undefined, 2)}\n`);
  else {
    io.out(`${renderTable(found.topics, TOPICS, io)}\n${renderTable(found.checkpoints, CHECKPOINTS, io)}`);
    if (found.rebuilding) io.out('\nA rebuild is under way.\n');
    else if (found.rebuild) io.out(`\n${lastRebuild(found.rebuild)}\n`);
    for (const reason of found.notReady) io.out(`\nNot ready: ${reason}\n`);
  }
  return found.notReady.length === 0 && found.topics.every(({ lag }) => lag === 0);
}

/** P7: makes the read models anew from the log while they are in use, and waits until they are in place. */
export async function rebuild(options: GlobalOptions, io: Io): Promise<void> {
  const client = consoleClient(options, io);
  const { id } = await client.post<RebuildState>('projections/rebuild', {});
  io.err('Reading the log from its start; what is there stays in use meanwhile.\n');
  for (;;) {
    const { rebuild: state, topics, notReady } = await read(client);
    if (state === null && notReady.length === 0)
      throw new CliError(EXIT.found, 'the rebuild is not on record any more: somebody dropped the read models');
    if (state && state.id !== id) throw new CliError(EXIT.found, 'another rebuild was begun meanwhile: see sallyport projections status');
    if (state?.state === 'failed')
      throw new CliError(EXIT.found, `the rebuild failed (${state.failure ?? 'unknown'}); the read models are as they were`);
    if (state?.state === 'done') {
      const records = topics.reduce((sum, { next }) => sum + next, 0);
      const took = Date.parse(state.ended ?? state.started) - Date.parse(state.started);
      io.out(`Rebuilt from ${count(records, 'record')} in ${took < 1000 ? `${took} ms` : duration(took)}.\n`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    io.signal.throwIfAborted();
  }
}

function lastRebuild({ state, ended, started, failure }: RebuildState): string {
  return state === 'done'
    ? `Last rebuilt at ${ended ?? started}.`
    : `The last rebuild, of ${started}, failed (${failure ?? 'unknown'}); the read models are as they were.`;
}

function read(client: ConsoleClient): Promise<Status> {
  return client.get<Status>('projections');
}
