import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openKafkaBus } from '@sallyport/adapter-kafka';
import { formatVerifierKeys, isSessionId, parseVerifierKeys, type VerifierKey } from '@sallyport/events';
import { type CheckpointItem, type Evidence, verifyEvidence, type VerifyReport } from '@sallyport/ledger';
import { fileRoster, ROLES } from '@sallyport/trust';
import { type KafkaConfig, kafkaOptions } from '../../services/bus.js';
import { rosterPath } from '../../services/ground.js';
import { createLog } from '../../services/log.js';
import { consoleClient } from '../console-client.js';
import { CliError, EXIT, wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { fetchEvidence } from '../sessions/export.js';
import { type CliSettings, cliSettings, type GlobalOptions } from '../settings.js';
import { verifyBus } from './bus-log.js';
import { busDirectory, directoryKeys, verifyDataDirectory } from './data-directory.js';
import { readSmall, type TrustedKeys, trustedKeys } from './keys.js';
import { renderReport, type Verified } from './report.js';

export interface VerifyOptions extends GlobalOptions {
  readonly keys?: string;
  readonly checkpoint?: string;
  readonly format: string;
}

/** True when both verdicts are a yes, for all there is. */
export async function runVerify(target: string | undefined, options: VerifyOptions, io: Io): Promise<boolean> {
  if (options.format !== 'text' && options.format !== 'json') throw wrongUse('--format is text or json');
  const verified = await verifyTarget(target, options, io);
  const isGood = [
    ...verified.reports.map(({ integrity, completeness }) => integrity.ok && completeness.ok),
    ...verified.unsigned.map(({ integrity }) => integrity.ok),
  ].every(Boolean);
  if (options.format === 'json') io.out(`${JSON.stringify({ ok: isGood, ...verified }, undefined, 2)}\n`);
  else io.out(renderReport(verified, isGood, io));
  return isGood;
}

/** The public halves of the keys in a data directory, one a line. */
export function printKeys(target: string | undefined, options: VerifyOptions, io: Io): void {
  const directory = target === undefined ? cliSettings(options, io).dataDir : resolve(io.cwd, target);
  const keys = directoryKeys(directory);
  if (keys.length === 0)
    throw wrongUse(
      `there are no verifier keys in ${join(directory, 'keys')}`,
      'They are made when Sallyport first runs on a data directory: name it with --data DIR.',
    );
  io.out(formatVerifierKeys(keys));
}

async function verifyTarget(target: string | undefined, options: VerifyOptions, io: Io): Promise<Verified> {
  const external: CheckpointItem | undefined =
    options.checkpoint === undefined ? undefined : { note: readSmall(options.checkpoint, io), file: options.checkpoint };
  const settings = target === undefined ? cliSettings(options, io) : undefined;
  if (settings?.config.bus.kind === 'kafka') return verifyKafka(settings, settings.config.bus, external, options, io);
  const path = settings?.dataDir ?? resolve(io.cwd, target ?? '.');
  const shown = target ?? options.data ?? path;
  if (!existsSync(path)) {
    if (target === undefined)
      throw wrongUse(`there is no data directory at ${shown}`, 'Name it with --data DIR, or a copy of it, or an export.');
    if (target.includes('/') || !isSessionId(target)) throw wrongUse(`there is nothing at ${target}`);
    return verifySession(target, options, io);
  }
  if (!statSync(path).isDirectory())
    throw wrongUse(`${shown} is a file`, 'Name a data directory, a copy of one, or what `sallyport sessions export` wrote.');
  if (existsSync(join(path, 'events.jsonl')))
    return { kind: 'evidence', what: `export ${shown}`, reports: [verifyExport(path, options, io)], unsigned: [], torn: [] };
  const bus = busDirectory(path);
  if (bus === undefined) {
    if (existsSync(join(path, 'keys'))) throw wrongUse(`${shown} has no log yet: nothing was recorded there`);
    throw wrongUse(
      `${shown} is neither a data directory nor an export`,
      'A data directory has bus/ and keys/ in it, an export events.jsonl.',
    );
  }
  const { logs, unsigned, torn } = await verifyDataDirectory(
    path,
    bus,
    trustedKeys(options.keys, () => directoryKeys(path), io),
    external,
  );
  if (logs.length === 0) throw wrongUse(`${shown} has no log of sessions`, 'Nothing was recorded there yet, or it was removed.');
  return { kind: 'log', what: `log in ${shown}`, reports: logs, unsigned, torn };
}

/** The log on the brokers of the configuration, with the keys that are enrolled here: they don't lie beside the log. */
async function verifyKafka(
  { config, dataDir, baseDir }: CliSettings,
  kafka: KafkaConfig,
  external: CheckpointItem | undefined,
  options: VerifyOptions,
  io: Io,
): Promise<Verified> {
  const enrolled = (): readonly VerifierKey[] => {
    const roster = fileRoster(rosterPath({ ...config, data: dataDir }));
    return ROLES.flatMap((role) => roster.ofRole(role));
  };
  const keys: TrustedKeys = { ...trustedKeys(options.keys, enrolled, io), origin: 'given' };
  const brokers = kafka.brokers.join(', ');
  const log = createLog('verify', io.env['SALLYPORT_LOG_LEVEL'] ?? 'silent');
  try {
    const bus = await openKafkaBus(kafkaOptions(kafka, { env: io.env, baseDir }, log));
    try {
      const { logs, unsigned } = await verifyBus(bus, keys, external);
      return { kind: 'log', what: `log on ${brokers}`, reports: logs, unsigned, torn: [] };
    } finally {
      await bus.close();
    }
  } catch (cause) {
    throw new CliError(EXIT.unreachable, `Kafka at ${brokers}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function verifyExport(path: string, options: VerifyOptions, io: Io): VerifyReport {
  const read = (name: string): Buffer => {
    try {
      return readFileSync(join(path, name));
    } catch (error) {
      throw wrongUse(`the export has no ${name} that can be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    }
  };
  const keys = trustedKeys(options.keys, () => parseVerifierKeys(read('keys').toString()), io);
  return verifyEvidence(
    {
      'events.jsonl': read('events.jsonl'),
      checkpoint: read('checkpoint').toString(),
      'inclusion.json': read('inclusion.json').toString(),
    },
    keys,
  );
}

async function verifySession(session: string, options: VerifyOptions, io: Io): Promise<Verified> {
  let url: string;
  let evidence: Omit<Evidence, 'events.jsonl'> & { readonly 'events.jsonl': string };
  try {
    const client = consoleClient(options, io);
    url = client.url;
    evidence = await fetchEvidence(client, session);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(error.exitCode, `${session} is not a path here, and can't be looked up as a session: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  const keys = trustedKeys(options.keys, () => parseVerifierKeys(evidence.keys), io);
  const report = verifyEvidence({ ...evidence, 'events.jsonl': Buffer.from(evidence['events.jsonl']) }, keys);
  return { kind: 'evidence', what: `session ${session}, as ${url} gave it`, reports: [report], unsigned: [], torn: [] };
}
