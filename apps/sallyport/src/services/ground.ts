import { join } from 'node:path';
import type { DistrustMetrics } from '@sallyport/adapter-metrics';
import type { OidcProviderOptions } from '@sallyport/adapter-oidc';
import type { Bus } from '@sallyport/bus';
import type { Config } from '@sallyport/config';
import { formatVerifierKey, loadOrCreateKey, type SigningKey } from '@sallyport/events';
import { checkEnrolled, fileRoster, type Role, type Roster } from '@sallyport/trust';
import type { Logger } from 'pino';
import type { Installation } from './installation.js';
import type { LivePolicy } from './live-policy.js';
import type { Policy } from './policy.js';

/** What every service stands on. */
export interface Ground {
  /** What this process did not believe, for the figures. */
  readonly distrust: DistrustMetrics;
  readonly config: Config;
  /** References to files are relative to it. */
  readonly baseDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** As configured. */
  readonly policy: Policy;
  /** What judges. */
  readonly live: LivePolicy;
  readonly installation: Installation;
  readonly bus: Bus;
  readonly roster: Roster;
  readonly providers: readonly OidcProviderOptions[];
  readonly log: Logger;
}

/** Where a service finds its keys, and those of others. */
export type Place = Pick<Config, 'data' | 'name' | 'edge' | 'trust'>;

/** As much of a configuration as can be handed to a thread without any secret. */
export function placeOf({ data, name, edge, trust }: Config): Place {
  return { data, name, edge, ...(trust === undefined ? {} : { trust }) };
}

const keysDir = (config: Pick<Config, 'data'>): string => join(config.data, 'keys');

/** The file or directory of enrolled keys. */
export function rosterPath(config: Pick<Place, 'data' | 'trust'>): string {
  return config.trust?.keys ?? keysDir(config);
}

/** The key of one of this machine's services, made on first use. */
export function serviceKey(config: Omit<Place, 'trust'>, role: Role): Promise<SigningKey> {
  return loadOrCreateKey(keysDir(config), `${role}/${role === 'edge' ? config.edge.name : config.name}`);
}

/** The enrolled keys, these services' own among them. Throws `TRUST_ROSTER`, `TRUST_NOT_ENROLLED`. */
export function openRoster(path: string, own: readonly SigningKey[], log: Pick<Logger, 'error'>): Roster {
  const roster = fileRoster(path, {
    onError: (error) => log.error({ err: error }, 'the enrolled keys can not be read; the last ones stay'),
  });
  for (const key of own) checkEnrolled(roster, key, formatVerifierKey(key), path);
  return roster;
}

export function oidcProviders(config: Config): OidcProviderOptions[] {
  return config.identity.providers.flatMap((provider) => (provider.kind === 'oidc' ? [{ name: provider.name, ...provider.oidc }] : []));
}
