import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatVerifierKey, type SigningKey } from '@sallyport/events';
import { PolicyStoreError, publishPolicy, type PublishedPolicy } from '@sallyport/policy-store';
import { canonicalJson, revisionOf } from '@sallyport/verdict';
import { checkEnrolled, fileRoster, type Roster, TrustError } from '@sallyport/trust';
import { rosterPath, serviceKey } from '../../services/ground.js';
import { loadPublished } from '../../services/policy.js';
import { DEFAULT_BUNDLE_DIR, readGrants, SettingsError } from '../../services/settings.js';
import { CliError, EXIT, wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { type CliSettings, cliSettings, type GlobalOptions } from '../settings.js';
import { kafkaOf, onKafka } from './policy-topic.js';

export interface PublishOptions extends GlobalOptions {
  readonly bundle?: string;
  readonly grants?: string;
  readonly comment?: string;
  readonly dryRun: boolean;
}

type Candidate = Pick<PublishedPolicy, 'files' | 'grants' | 'revision'>;

/** Checks the policy, signs it, and appends it. Without a word about who follows: they switch by themselves. */
export async function publish(options: PublishOptions, io: Io): Promise<void> {
  const settings = cliSettings(options, io);
  const candidate = await checked(options, settings, io);
  if (options.dryRun) return io.out(`revision ${candidate.revision} can be published\n`);
  kafkaOf(settings);
  const { roster, key } = await publisher(settings);
  const done = await onKafka(settings, io, async (bus) => {
    const policy = { ...candidate, comment: options.comment ?? '' };
    try {
      return await publishPolicy({ bus, roster, key, load: loadPublished, policy, nowMs: Date.now() });
    } catch (error) {
      throw error instanceof PolicyStoreError ? wrongUse(error.message) : error;
    }
  });
  const { number } = done;
  if (done.outcome === 'published') return io.out(`published number ${number}, revision ${candidate.revision}\n`);
  if (done.outcome === 'live-already')
    return io.err(`Revision ${candidate.revision} is live already, as number ${number}: nothing was published.\n`);
  throw new CliError(EXIT.found, `number ${number} was refused: ${done.detail}`, {
    hint: 'somebody else has published meanwhile: look at `sallyport policy log`, then publish again',
  });
}

/** Everything that services check before they switch. */
async function checked(options: PublishOptions, { config }: CliSettings, io: Io): Promise<Candidate> {
  const directory =
    options.bundle !== undefined
      ? resolve(io.cwd, options.bundle)
      : config.policy.path === undefined
        ? DEFAULT_BUNDLE_DIR
        : join(config.policy.path, 'bundle');
  try {
    const grants = await readGrants(options.grants === undefined ? config.policy.grants : resolve(io.cwd, options.grants));
    const [wasm, manifest] = await Promise.all([readFile(join(directory, 'policy.wasm')), readFile(join(directory, 'manifest.json'))]);
    const candidate = { files: { 'policy.wasm': wasm, 'manifest.json': manifest }, grants, revision: '' };
    const revision = revisionOf([wasm, manifest], canonicalJson(grants));
    loadPublished({ ...candidate, revision });
    return { ...candidate, revision };
  } catch (cause) {
    if (cause instanceof SettingsError) throw new CliError(EXIT.usage, `the grants have mistakes\n${cause.message}`, { cause });
    const message = cause instanceof Error ? cause.message : 'unknown';
    throw new CliError(EXIT.usage, `the policy in ${directory} can not be published: ${message}`, {
      cause,
      hint: 'sallyport policy build makes a bundle',
    });
  }
}

async function publisher({ config, dataDir }: CliSettings): Promise<{ readonly roster: Roster; readonly key: SigningKey }> {
  const here = { ...config, data: dataDir };
  const key = await serviceKey(here, 'publisher');
  const path = rosterPath(here);
  try {
    const roster = fileRoster(path);
    checkEnrolled(roster, key, formatVerifierKey(key), path);
    return { roster, key };
  } catch (error) {
    throw error instanceof TrustError ? wrongUse(error.message) : error;
  }
}
