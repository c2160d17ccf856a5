import { builtinModules } from 'node:module';
import { posix } from 'node:path';

import { packageOf, syntaxOf } from './syntax.js';
import { files, isTestCode, type Manifest, type Package, packages, read, readJson, references } from './workspace.js';

/** An import in a file of a package. */
interface Use {
  readonly path: string;
  readonly specifier: string;
}

const root = readJson<Manifest>('package.json');
const all = packages();
const names = new Set(all.map(({ manifest }) => manifest.name));
const uses = new Map(all.map((one) => [one.dir, usesOf(one)]));

function usesOf({ dir }: Package): Use[] {
  return files(dir)
    .filter((path) => /\.(ts|mjs|js)$/.test(path))
    .flatMap((path) => syntaxOf(read(path)).imports.map(({ specifier }) => ({ path, specifier })));
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

function isOfNode(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** What a file imports and its package doesn't declare; test code may use development dependencies and those of the root. */
function undeclared(manifest: Manifest, root: Manifest, used: readonly Use[]): string[] {
  return used
    .filter(({ specifier }) => !isRelative(specifier) && !isOfNode(specifier))
    .filter(({ path, specifier }) => {
      const name = packageOf(specifier);
      if (name in (manifest.dependencies ?? {}) || name === manifest.name) return false;
      if (!isTestCode(path)) return true;
      // Jest gives its own `@jest/globals` to what it runs.
      return !(name in (manifest.devDependencies ?? {}) || name in (root.devDependencies ?? {}) || name === '@jest/globals');
    })
    .map(({ path, specifier }) => `${path}: ${specifier}`);
}

function dependenciesOf(manifest: Manifest): [string, string][] {
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
}

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

function inexact(manifest: Manifest): string[] {
  return dependenciesOf(manifest)
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `${manifest.name}: ${name} ${version}`);
}

/** A way round, or undefined: `a → b → a`. */
function cycle(edges: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node].join(' → ');
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const round = visit(next, [...path, node]);
      if (round !== undefined) return round;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const round = visit(node, []);
    if (round !== undefined) return round;
  }
  return undefined;
}

describe('packages', () => {
  it('are found', () => {
    expect(all.map(({ dir }) => dir)).toEqual(expect.arrayContaining(['apps/edge', 'libs/events', 'libs/adapters/oidc']));
  });

  it('are private, under Apache-2.0, and of the version of the workspace', () => {
    const wrong = [root, ...all.map(({ manifest }) => manifest)].filter(
      ({ license, private: isPrivate, version }) => license !== 'Apache-2.0' || isPrivate !== true || version !== root.version,
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('are named after their folder', () => {
    const wrong = all.filter(({ dir, manifest }) => {
      const folder = posix.basename(dir);
      const name = dir.startsWith('libs/adapters/') ? `@sallyport/adapter-${folder}` : `@sallyport/${folder}`;
      return manifest.name !== (dir === 'apps/sallyport' ? 'sallyport' : name);
    });
    expect(wrong.map(({ dir }) => dir)).toEqual([]);
  });

  it('declare what they import', () => {
    const used = [
      { path: 'libs/a/src/a.ts', specifier: 'zod' },
      { path: 'libs/a/src/a.spec.ts', specifier: 'fast-check' },
    ];
    const tools = { name: 'root', devDependencies: { 'fast-check': '1.0.0' } };
    expect(undeclared({ name: 'a' }, tools, used)).toEqual(['libs/a/src/a.ts: zod']);
    expect(undeclared({ name: 'a', dependencies: { zod: '1.0.0' } }, { name: 'root' }, used)).toEqual(['libs/a/src/a.spec.ts: fast-check']);

    expect(all.flatMap(({ dir, manifest }) => undeclared(manifest, root, uses.get(dir) ?? []))).toEqual([]);
  });

  it('are declared to be used: no dependency of ours that no file imports', () => {
    const idle = all.flatMap(({ dir, manifest }) => {
      const used = new Set((uses.get(dir) ?? []).map(({ specifier }) => packageOf(specifier)));
      return dependenciesOf(manifest)
        .filter(([name]) => names.has(name) && !used.has(name))
        .map(([name]) => `${dir}: ${name}`);
    });
    expect(idle).toEqual([]);
  });

  it('import no file of another package by its path', () => {
    const strays = all.flatMap(({ dir }) =>
      (uses.get(dir) ?? [])
        .filter(({ path, specifier }) => isRelative(specifier) && !posix.join(posix.dirname(path), specifier).startsWith(`${dir}/`))
        .map(({ path, specifier }) => `${path}: ${specifier}`),
    );
    expect(strays).toEqual([]);
  });

  it('pin exact versions, and the same one everywhere', () => {
    expect(inexact({ name: 'a', dependencies: { b: '^1.0.0', c: '1.0.0', d: '1.0.0-beta.1', e: '*' } })).toEqual(['a: b ^1.0.0', 'a: e *']);
    const manifests = [root, ...all.map(({ manifest }) => manifest)];
    expect(manifests.flatMap(inexact)).toEqual([]);

    const versions = new Map<string, Set<string>>();
    for (const [name, version] of manifests.flatMap(dependenciesOf)) versions.set(name, (versions.get(name) ?? new Set()).add(version));
    expect([...versions].filter(([, found]) => found.size > 1).map(([name, found]) => `${name}: ${[...found].join(', ')}`)).toEqual([]);
  });

  it('refer in tsconfig.json to each package of ours that they depend on, and to no other', () => {
    const dirs = new Map(all.map(({ dir, manifest }) => [manifest.name, dir]));
    const wrong = all.flatMap(({ dir, manifest, references: listed }) => {
      const needed = dependenciesOf(manifest).flatMap(([name]) => dirs.get(name) ?? []);
      return [
        ...needed.filter((one) => !listed.includes(one)).map((one) => `${dir} lacks ${one}`),
        ...listed.filter((one) => !needed.includes(one)).map((one) => `${dir} needs no ${one}`),
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('are each part of the build, and of the types that test/ sees', () => {
    const dirs = all.map(({ dir }) => dir);
    expect(references('.').toSorted()).toEqual([...dirs, 'test'].toSorted());
    expect(references('test').toSorted()).toEqual(dirs.toSorted());
  });

  it('depend on each other without a way round, development included', () => {
    expect(
      cycle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toBe('b → c → b');
    const edges = new Map(
      all.map(({ manifest }) => [
        manifest.name,
        dependenciesOf(manifest)
          .map(([name]) => name)
          .filter((name) => names.has(name)),
      ]),
    );
    expect(cycle(edges)).toBeUndefined();
  });
});
