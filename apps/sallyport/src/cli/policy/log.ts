import { policyHistory, type PolicyVersion } from '@sallyport/policy-store';
import { fileRoster, TrustError } from '@sallyport/trust';
import { rosterPath } from '../../services/ground.js';
import { loadPublished } from '../../services/policy.js';
import { wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { cliSettings, type GlobalOptions } from '../settings.js';
import { type Column, type ListFormat, printList } from '../table.js';
import { onKafka } from './policy-topic.js';

const REVISION_SHOWN_CHARS = 12;

interface LogRow {
  readonly number: number | null;
  readonly revision: string | null;
  readonly author: string | null;
  readonly time: string | null;
  readonly state: PolicyVersion['state'];
  readonly reason: string | null;
  readonly detail: string | null;
  readonly comment: string | null;
}

const COLUMNS: readonly Column<LogRow>[] = [
  { title: 'NUMBER', value: ({ number }) => number, right: true },
  { title: 'REVISION', value: ({ revision }) => revision?.slice(0, REVISION_SHOWN_CHARS) },
  { title: 'AUTHOR', value: ({ author }) => author },
  { title: 'TIME', value: ({ time }) => time },
  { title: 'STATE', value: ({ state, reason }) => (reason === null ? state : `${state}: ${reason}`) },
  { title: 'COMMENT', value: ({ comment }) => comment, shrinkTo: 20 },
];

/** What was published, oldest first, and what services make of it. */
export async function log(options: GlobalOptions & { readonly format: ListFormat }, io: Io): Promise<void> {
  const settings = cliSettings(options, io);
  const { versions } = await onKafka(settings, io, (bus) => policyHistory(bus, rosterOf(settings.config, settings.dataDir), loadPublished));
  printList(
    versions.map(rowOf),
    { columns: COLUMNS, format: options.format, none: 'Nothing was published: the configured policy judges.' },
    io,
  );
}

function rosterOf(config: Parameters<typeof rosterPath>[0], data: string) {
  try {
    return fileRoster(rosterPath({ ...config, data }));
  } catch (error) {
    throw error instanceof TrustError ? wrongUse(error.message) : error;
  }
}

function rowOf({ policy, state, reason, detail }: PolicyVersion): LogRow {
  const { number = null, revision = null, author = null, timeMs, comment = '' } = policy ?? {};
  return {
    number,
    revision,
    author,
    time: timeMs === undefined ? null : new Date(timeMs).toISOString(),
    state,
    reason: reason ?? null,
    detail: detail ?? null,
    comment: comment === '' ? null : comment,
  };
}
