import { type Syntax, syntaxOf } from './syntax.js';
import { files, read } from './workspace.js';

const MAX_LINES = 400;
const MAX_CONSTRUCTOR_PARAMETERS = 5;
/** How far down a file may say why it is long. */
const TOP_LINES = 15;

const sources = files().filter((path) => /\.(ts|mjs|cjs|js|rego|py)$/.test(path) && !path.includes('/generated/'));
const scripts = new Map<string, Syntax>(
  sources.filter((path) => /\.(ts|mjs)$/.test(path)).map((path) => [path, syntaxOf(read(path))] as const),
);

/** A comment that speaks of length near the top: "Longer than most files because …". */
function saysWhyItIsLong(source: string): boolean {
  const top = source.split('\n').slice(0, TOP_LINES);
  return top.some((line) => /^\s*(\/\/|\/?\*|#)/.test(line) && /\b(long|longer|length|lines)\b/i.test(line));
}

function tooLong(source: string): boolean {
  return source.trimEnd().split('\n').length > MAX_LINES && !saysWhyItIsLong(source);
}

/** Decorators and calls of Nest that hide a cycle or a dependency. */
function hidesWiring(source: string): boolean {
  return /\bforwardRef\b|@Global\s*\(/.test(source);
}

describe('code', () => {
  it('is found', () => {
    expect(sources.length).toBeGreaterThan(100);
  });

  it(`says at the top why a file is over ${MAX_LINES} lines`, () => {
    const long = 'x;\n'.repeat(MAX_LINES + 1);
    expect([tooLong(long), tooLong(`// Longer than most: one table.\n${long}`), tooLong('x;\n'.repeat(MAX_LINES))]).toEqual([
      true,
      false,
      false,
    ]);
    expect(sources.filter((path) => tooLong(read(path)))).toEqual([]);
  });

  it('wires what it needs in the open: no forwardRef, no @Global', () => {
    expect([hidesWiring('inject(forwardRef(() => A))'), hidesWiring('@Global()\nclass A {}'), hidesWiring('globalThis')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(sources.filter((path) => !path.startsWith('test/fitness/') && hidesWiring(read(path)))).toEqual([]);
  });

  it(`takes at most ${MAX_CONSTRUCTOR_PARAMETERS} constructor parameters`, () => {
    expect(syntaxOf('class A { constructor(private readonly a: B, c: D) {} }').constructorParameters).toEqual([2]);
    const wide = [...scripts].filter(([, { constructorParameters }]) => constructorParameters.some((n) => n > MAX_CONSTRUCTOR_PARAMETERS));
    expect(wide.map(([path]) => path)).toEqual([]);
  });

  it('imports in types with `import type`, which dependency-cruiser sees', () => {
    expect(syntaxOf("type A = import('./a.js').A;").imports).toEqual([{ specifier: './a.js', inType: true }]);
    expect([...scripts].filter(([, { imports }]) => imports.some(({ inType }) => inType)).map(([path]) => path)).toEqual([]);
  });

  it('switches no test off, and none alone on', () => {
    expect(
      syntaxOf("it.only('a', f); describe.skip.each(x)('b', f); xit('c', f); it.each(x)('d', f); (ok ? it : it.skip)('e', f);"),
    ).toMatchObject({
      switchedOff: ['it.only', 'describe.skip.each', 'xit'],
    });
    const off = [...scripts].filter(([path, { switchedOff }]) => path.endsWith('.spec.ts') && switchedOff.length > 0);
    expect(off.map(([path]) => path)).toEqual([]);
  });

  it('is finished: no words that promise to come back', () => {
    const unfinished = (source: string): boolean =>
      /\b(TODO|FIXME|HACK|XXX)\b|\bnot implemented\b/i.test(source.replaceAll(/placeholder=/g, ''));
    expect(unfinished('// TODO: later')).toBe(true);
    expect(sources.filter((path) => !path.startsWith('test/fitness/') && unfinished(read(path)))).toEqual([]);
  });
});
