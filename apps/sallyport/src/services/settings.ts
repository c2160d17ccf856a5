import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDev, type Config, type ConfigProblem, formatProblems, loadConfig, notYet } from '@sallyport/config';
import { type GrantsDocument, loadGrants } from '@sallyport/verdict';
import type { Policy } from './policy.js';

/** The package's own files: policies that come with it, the sample shop. */
const PACKAGE_DIR = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const SAMPLE_DIR = join(PACKAGE_DIR, 'sample');
export const DEFAULT_BUNDLE_DIR = resolve(PACKAGE_DIR, '../../policies/bundle');

/** Wrong use or configuration: `lines` say what and where. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS';

  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

export interface Settings {
  readonly config: Config;
  readonly baseDir: string;
  readonly policy: Policy;
  /** What works and should not stay so. */
  readonly warnings: readonly string[];
}

export interface SettingsSource {
  /** Path of the configuration, or its text for what comes with the package. */
  readonly config: { readonly path: string } | { readonly text: string; readonly baseDir: string };
  readonly data?: string;
  readonly dev: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** Configuration and grants, checked. @throws SettingsError */
export async function loadSettings({ config: source, data, dev, env }: SettingsSource): Promise<Settings> {
  const loaded = loadConfig(source, env);
  const file = 'path' in source ? source.path : 'sallyport.yaml';
  if (!loaded.ok) throw new SettingsError(lines(loaded.problems, file));
  const config: Config = data === undefined ? loaded.config : { ...loaded.config, data: resolve(data) };
  const problems = [...notYet(config), ...(dev ? checkDev(config) : [])];
  if (problems.length > 0) throw new SettingsError(problems.map((problem) => `${file}: ${problem}`));
  return {
    config,
    baseDir: loaded.baseDir,
    policy: {
      bundleDir: config.policy.path === undefined ? DEFAULT_BUNDLE_DIR : join(config.policy.path, 'bundle'),
      grants: await readGrants(config.policy.grants),
    },
    // With --dev the development issuer is the identity provider.
    warnings: lines(dev ? loaded.warnings.filter(({ path }) => path !== 'identity') : loaded.warnings, file),
  };
}

/** Without a file nothing is granted. @throws SettingsError with a line for each mistake */
export async function readGrants(path: string | undefined): Promise<GrantsDocument> {
  if (path === undefined) return { grants: [], roles: {} };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new SettingsError([`${path}: can't be read: ${cause instanceof Error ? cause.message : 'unknown'}`]);
  }
  const loaded = loadGrants(text);
  if (!loaded.ok)
    throw new SettingsError(loaded.problems.map(({ line, column, path: at, message }) => `${path}:${line}:${column} ${at}: ${message}`));
  return loaded.document;
}

function lines(problems: readonly ConfigProblem[], file: string): string[] {
  return problems.length === 0
    ? []
    : formatProblems(problems, file)
        .split('\n')
        .filter((line) => line !== '');
}
