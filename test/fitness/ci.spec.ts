import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

import { type Manifest, read, readJson, ROOT } from './workspace.js';

const script = read('.ci/run');

/** The stages of .ci/run, each with the file it runs. */
function stages(source: string): { name: string; file: string }[] {
  const block = /^stages=\(\n(?<rows>[\s\S]*?)^\)/m.exec(source)?.groups?.['rows'] ?? '';
  return [...block.matchAll(/^ {2}'(?<name>[^|]+)\|\d+\|(?<file>[^|]+)\|[^']+'$/gm)].map(({ groups }) => ({
    name: groups?.['name'] ?? '',
    file: groups?.['file'] ?? '',
  }));
}

function notBuilt(source: string): string[] {
  const list = /^not_built=\((?<names>[^)]*)\)/m.exec(source)?.groups?.['names'];
  if (list === undefined) throw new Error('.ci/run has no list not_built');
  return list.split(/\s+/).filter((name) => name !== '');
}

/** Stages that are there and still listed as not built, and those that are built by the list and not there. */
function outOfDate(source: string, isThere: (file: string) => boolean): string[] {
  const listed = notBuilt(source);
  return stages(source)
    .filter(({ name, file }) => isThere(file) === listed.includes(name))
    .map(({ name, file }) =>
      isThere(file) ? `${file} is there: take ${name} out of not_built` : `${name} runs ${file}, which is not there`,
    );
}

describe('.ci/run', () => {
  it('can be run, and has a function for each stage', () => {
    expect(() => accessSync(join(ROOT, '.ci/run'), constants.X_OK)).not.toThrow();
    expect(stages(script).length).toBeGreaterThan(8);
    expect(stages(script).filter(({ name }) => !script.includes(`\nstage_${name}() {`))).toEqual([]);
  });

  it('lists as not built what is not there, and nothing else', () => {
    const rows = "stages=(\n  'a|1|test/a|what a shows'\n  'b|1|test/b|what b shows'\n)\n";
    expect(outOfDate(`${rows}not_built=(b)\n`, (file) => file === 'test/a')).toEqual([]);
    expect(outOfDate(`${rows}not_built=(a)\n`, (file) => file === 'test/a')).toEqual([
      'test/a is there: take a out of not_built',
      'b runs test/b, which is not there',
    ]);
    const isThere = (file: string): boolean => existsSync(join(ROOT, file)) || file === 'README.md';
    expect(outOfDate(script, isThere)).toEqual([]);
  });

  it('runs scripts that package.json has', () => {
    const { scripts = {} } = readJson<Manifest>('package.json');
    const called = [...script.matchAll(/npm run -s (?<name>[\w:]+)/g)].map(({ groups }) => groups?.['name'] ?? '');
    expect(called.length).toBeGreaterThan(4);
    expect(called.filter((name) => !(name in scripts))).toEqual([]);
  });
});
