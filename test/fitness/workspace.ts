import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** What no commit holds: .gitignore in the form this walk needs. */
const NOT_TRACKED = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git', '__pycache__']);

/** The same, of paths. */
const NOT_TRACKED_PATHS = new Set(['data', 'deploy/kafka/libs', 'deploy/kafka/data']);

/** The part of a package.json that the rules look at. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
}

export interface Package {
  /** Relative to the root, with slashes: `libs/events`. */
  readonly dir: string;
  readonly manifest: Manifest;
  /** The directories that its tsconfig.json refers to, relative to the root. */
  readonly references: readonly string[];
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readJson<T>(path: string): T {
  return JSON.parse(read(path)) as T;
}

/** Every file of the checkout that could be committed, relative to the root, with slashes, sorted. Works without git. */
export function files(under = '.'): string[] {
  const found: string[] = [];
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (NOT_TRACKED.has(entry.name) || NOT_TRACKED_PATHS.has(relative(ROOT, path).split(sep).join('/'))) continue;
      if (entry.isDirectory()) walk(path);
      else if (!entry.name.endsWith('.tsbuildinfo')) found.push(relative(ROOT, path).split(sep).join('/'));
    }
  };
  walk(join(ROOT, under));
  return found.toSorted();
}

/** The workspaces: apps/*, libs/*, libs/adapters/*. */
export function packages(): Package[] {
  return files()
    .filter((path) => /^(apps|libs|libs\/adapters)\/[^/]+\/package\.json$/.test(path))
    .map((path) => {
      const dir = path.slice(0, -'/package.json'.length);
      return { dir, manifest: readJson<Manifest>(path), references: references(dir) };
    });
}

/** The directories that the tsconfig.json in `dir` refers to. */
export function references(dir: string): string[] {
  const path = join(dir, 'tsconfig.json');
  if (!existsSync(join(ROOT, path))) return [];
  const { references: listed = [] } = readJson<{ references?: { path: string }[] }>(path);
  return listed.map((reference) =>
    relative(ROOT, join(ROOT, dir, reference.path))
      .split(sep)
      .join('/'),
  );
}

/** Test code: what jest runs, and what only tests load. It may use development dependencies. */
export function isTestCode(path: string): boolean {
  return (
    /\.spec\.ts$|\/testing\.ts$|\/conformance\.ts$|-(child|worker)\.ts$|\/(attacks|fakes|scripts|testing)\//.test(path) ||
    path.startsWith('test/')
  );
}
