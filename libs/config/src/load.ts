import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { checkConfig, warnings as warningsOf } from './checks.js';
import { type Config, configSchema } from './config.js';
import { interpolate } from './interpolate.js';
import { mapStrings, matches, type Path, show } from './paths.js';
import { describeIssue, type Mistake, mistakes } from './problems.js';
import type { Env } from './secrets.js';

/** Where it is wrong: `resources[0].tls`, line and column from 1; and what was expected. */
export interface ConfigProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly baseDir: string; readonly warnings: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** A file, or its text with the directory that its paths are relative to (default: the working directory). */
export type ConfigSource = { readonly path: string } | { readonly text: string; readonly baseDir?: string };

export const CONFIG_MAX_BYTES = 1024 * 1024;
/** More problems than this are not listed. */
export const MAX_CONFIG_PROBLEMS = 50;
const MAX_ALIASES = 100;

/** Paths of files and directories, in what comes out of the schema. They are made absolute. */
const FILE_PATHS: readonly string[] = [
  'data',
  'listen.*.tls.cert',
  'listen.*.tls.key',
  'identity.providers.*.saml.metadata',
  'bus.tls.ca',
  'bus.tls.cert',
  'bus.tls.key',
  'trust.keys',
  'resources.*.tls.ca',
  'policy.path',
  'policy.grants',
];

/** One YAML file (YAML 1.2), or nothing but defaults when it is empty. Never throws: a mistake is a value, with its place. */
export function loadConfig(source: ConfigSource, env: Env): LoadedConfig {
  const read = readSource(source);
  if (!read.ok) return refused([{ path: '', line: 1, column: 1, message: read.message }]);
  const lines = new LineCounter();
  const yaml = parseDocument(read.text, { lineCounter: lines, uniqueKeys: true, version: '1.2', prettyErrors: false, logLevel: 'silent' });
  const broken = [...yaml.errors, ...yaml.warnings].map(({ pos, message }) => ({ path: '', ...place(lines, pos[0]), message }));
  if (broken.length > 0) return refused(broken);
  const at = (mistake: Mistake): ConfigProblem => ({ path: show(mistake.path), ...find(yaml, lines, mistake), message: mistake.message });

  let plain: unknown;
  try {
    plain = (yaml.toJS({ maxAliasCount: MAX_ALIASES }) as unknown) ?? {};
  } catch {
    return refused([{ path: '', line: 1, column: 1, message: `expected at most ${MAX_ALIASES} uses of aliases` }]);
  }
  const filled = interpolate(plain, env);
  const parsed = configSchema().safeParse(filled.value, { error: describeIssue, reportInput: false });
  if (!parsed.success) {
    // A value that couldn't be put in isn't also of the wrong kind.
    const unset = new Set(filled.problems.map(({ path }) => show(path)));
    const rest = mistakes(parsed.error.issues, filled.value).filter(({ path }) => !unset.has(show(path)));
    return refused([...filled.problems, ...rest].map(at));
  }
  const config = freeze(absolutePaths(parsed.data, read.baseDir)) as Config;
  const found = [...filled.problems, ...checkConfig(config)];
  if (found.length > 0) return refused(found.map(at));
  return { ok: true, config, baseDir: read.baseDir, warnings: warningsOf(config).map(at) };
}

/** `file:line:column path: message`, a line each: editors jump there. */
export function formatProblems(problems: readonly ConfigProblem[], file = 'sallyport.yaml'): string {
  return problems
    .map(({ path, line, column, message }) => `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`)
    .join('\n');
}

type Read = { readonly ok: true; readonly text: string; readonly baseDir: string } | { readonly ok: false; readonly message: string };

function readSource(source: ConfigSource): Read {
  const tooLarge = { ok: false, message: `larger than ${CONFIG_MAX_BYTES} bytes` } as const;
  if ('text' in source) {
    if (Buffer.byteLength(source.text) > CONFIG_MAX_BYTES) return tooLarge;
    return { ok: true, text: source.text, baseDir: resolve(source.baseDir ?? '.') };
  }
  try {
    if (statSync(source.path).size > CONFIG_MAX_BYTES) return tooLarge;
    return { ok: true, text: readFileSync(source.path, 'utf8'), baseDir: dirname(resolve(source.path)) };
  } catch (error) {
    return { ok: false, message: `can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` };
  }
}

function absolutePaths(config: unknown, baseDir: string): unknown {
  const isSecretFile = (path: Path, holder: unknown) =>
    path.at(-1) === 'path' && (holder as { kind?: unknown } | undefined)?.kind === 'file';
  return mapStrings(config, (value, path) => {
    const isFile = FILE_PATHS.some((pattern) => matches(path, pattern)) || isSecretFile(path, holderOf(config, path));
    return isFile ? resolve(baseDir, value) : value;
  });
}

function holderOf(root: unknown, path: Path): unknown {
  return path.slice(0, -1).reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], root);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

/** The value's place; a missing one's is the nearest key around it, a wrong key's its own. */
function find(yaml: Document, lines: LineCounter, { path, isKey = false }: Mistake): { line: number; column: number } {
  for (let length = path.length; length > 0; length--) {
    const isWhole = length === path.length;
    const holder = length === 1 ? yaml.contents : yaml.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(holder)
      ? holder.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last))
      : undefined;
    const key = pair?.key as { range?: readonly number[] } | undefined;
    const value = yaml.getIn(path.slice(0, length), true) as { range?: readonly number[] | null } | undefined;
    const range = pair && (isKey || !isWhole) ? key?.range : (value?.range ?? key?.range);
    if (range?.[0] !== undefined) return place(lines, range[0]);
  }
  return { line: 1, column: 1 };
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function refused(problems: readonly ConfigProblem[]): LoadedConfig {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: sorted.slice(0, MAX_CONFIG_PROBLEMS) };
}
