import {
  type AppliedTopics,
  applyTopics,
  compareTopics,
  topicPlan,
  type TopicChange,
  type TopicDifference,
} from '@sallyport/adapter-kafka';
import { kafkaOptions, topicOptions } from '../../services/bus.js';
import { createLog } from '../../services/log.js';
import { CliError, EXIT, wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { cliSettings, type GlobalOptions } from '../settings.js';
import { type Column, type ListFormat, printList } from '../table.js';
import { aclsOf, printAcls, reachAcls } from './acls.js';

const DONE_COLUMNS: readonly Column<TopicChange>[] = [
  { title: 'TOPIC', value: ({ topic }) => topic },
  { title: 'DONE', value: ({ did }) => did },
  { title: 'NOW', value: ({ to }) => to.join(', '), shrinkTo: 20 },
];

const SEVERITIES = { missing: 'missing', 'loses-record': 'LOSES THE RECORD', differs: 'works, otherwise than planned' } as const;

const DIFFERENCE_COLUMNS: readonly Column<TopicDifference>[] = [
  { title: 'TOPIC', value: ({ topic }) => topic },
  { title: 'WHAT', value: ({ what }) => what },
  { title: 'WANTED', value: ({ wanted }) => wanted },
  { title: 'FOUND', value: ({ found }) => found },
  { title: 'WHICH', value: ({ severity }) => SEVERITIES[severity] },
];

export interface ApplyOptions extends GlobalOptions {
  readonly acls: boolean;
  readonly dryRun: boolean;
  readonly format: ListFormat;
}

/** True when the topics are as planned, afterwards, and the ACLs where they were asked for. */
export async function apply(options: ApplyOptions, io: Io): Promise<boolean> {
  const { config, baseDir } = cliSettings(options, io);
  if (config.bus.kind !== 'kafka')
    throw wrongUse('the bus of this configuration is embedded, and makes its topics itself', 'bus: { kafka: … }');
  const { bus } = config;
  // Before anything is done.
  const users = options.acls ? aclsOf(bus) : undefined;
  const log = createLog('topics', io.env['SALLYPORT_LOG_LEVEL'] ?? 'silent');
  const kafka = kafkaOptions(bus, { env: io.env, baseDir }, log);
  const plan = topicPlan(topicOptions(bus));
  const topics = await reach(bus.brokers, async () =>
    options.dryRun ? { done: [], left: await compareTopics(kafka, plan) } : applyTopics(kafka, plan),
  );
  const acls = users && (await reach(bus.brokers, () => reachAcls(kafka, users, options.dryRun)));
  if (options.format === 'json') io.out(`${JSON.stringify({ ...topics, ...(acls ? { acls } : {}) }, undefined, 2)}\n`);
  else {
    printTopics(topics, plan.length, options.dryRun, io);
    if (acls) {
      if (topics.done.length + topics.left.length > 0) io.out('\n');
      printAcls(acls, options.dryRun, io);
    }
  }
  return topics.left.length === 0 && (acls?.left.length ?? 0) === 0;
}

function printTopics({ done, left }: AppliedTopics, count: number, dryRun: boolean, io: Io): void {
  if (!dryRun) printList(done, { columns: DONE_COLUMNS, format: 'table', none: 'Nothing had to be done.' }, io);
  if (left.length > 0) {
    if (done.length > 0) io.out('\n');
    printList(left, { columns: DIFFERENCE_COLUMNS, format: 'table', none: '' }, io);
  }
  if (left.length === 0) io.err(`${count} topics are as planned.\n`);
  else if (!dryRun) io.err('\nThis is left: keys would move, or it takes more than a setting. Decide by hand.\n');
}

async function reach<T>(brokers: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(EXIT.unreachable, `Kafka at ${brokers.join(', ')}: ${message}`, { cause });
  }
}
