import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, formatProblems, loadConfig } from '@sallyport/config';
import { CliError, EXIT, wrongUse } from './exit.js';
import type { Io } from './io.js';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly data?: string;
  readonly console?: string;
  readonly token?: string;
}

/** What `up` leaves in its data directory while it runs. */
export interface RunFile {
  readonly pid: number;
  /** Name → `host:port`. */
  readonly listeners: Readonly<Record<string, string>>;
  /** Of the development issuer. */
  readonly issuer?: string;
}

export interface CliSettings {
  readonly config: Config;
  /** As one would name it in a message. */
  readonly configPath: string | undefined;
  readonly dataDir: string;
  /** References to files are relative to it. */
  readonly baseDir: string;
  /** Of the `up` that runs on this data directory; undefined when none does. */
  readonly run: RunFile | undefined;
}

export const DEFAULT_CONFIG = 'sallyport.yaml';
const RUN_FILE_MAX_BYTES = 64 * 1024;

/**
 * The configuration that a command goes by: `--config`, else ./sallyport.yaml, else nothing but defaults with data in ./data.
 * @throws CliError with a line for each mistake
 */
export function cliSettings(options: GlobalOptions, io: Io): CliSettings {
  const given = options.config === undefined ? undefined : resolve(io.cwd, options.config);
  if (given !== undefined && !existsSync(given)) throw wrongUse(`there is no configuration at ${options.config}`);
  const standard = resolve(io.cwd, DEFAULT_CONFIG);
  const path = given ?? (existsSync(standard) ? standard : undefined);
  const loaded = loadConfig(path === undefined ? { text: '', baseDir: io.cwd } : { path }, io.env);
  const shown = options.config ?? (path === undefined ? undefined : DEFAULT_CONFIG);
  if (!loaded.ok) throw new CliError(EXIT.usage, `the configuration has mistakes\n${formatProblems(loaded.problems, shown)}`);
  const dataDir = options.data === undefined ? loaded.config.data : resolve(io.cwd, options.data);
  return { config: loaded.config, configPath: shown, baseDir: loaded.baseDir, dataDir, run: readRunFile(dataDir) };
}

/** A file of a process that is gone says nothing. */
function readRunFile(dataDir: string): RunFile | undefined {
  let run: Partial<RunFile> | null;
  try {
    const text = readFileSync(join(dataDir, 'run.json'), 'utf8');
    if (text.length > RUN_FILE_MAX_BYTES) return undefined;
    run = JSON.parse(text) as Partial<RunFile> | null;
  } catch {
    return undefined;
  }
  if (typeof run?.pid !== 'number' || typeof run.listeners !== 'object' || run.listeners === null) return undefined;
  return isAlive(run.pid) ? (run as RunFile) : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
