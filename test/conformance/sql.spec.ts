import { installedServer, startInstalledTarget, startTarget } from '../harness/index.mjs';
import type { Target } from '../harness/index.mjs';
import { bothWays, type Run, scriptNames } from './driver/both-ways.js';
import { differences, KnownDifferences, shown } from './driver/differences.js';

/** CONFORMANCE_ONLY is a regular expression, for whoever looks into one script. */
const only = new RegExp(process.env.CONFORMANCE_ONLY ?? '');
const names = scriptNames().filter((name) => only.test(name));

const TARGETS: readonly (readonly [string, () => Promise<Target>])[] = [
  ['18', () => startTarget({ database: 'postgres' })],
  ...(installedServer('15') ? [['15', () => startInstalledTarget({ version: '15', database: 'unused' })] as const] : []),
];

function told(run: Run, name: string): readonly string[] {
  const lines = run.get(name)!;
  if (lines instanceof Error) throw lines;
  return lines;
}

describe.each(TARGETS)('PostgreSQL %s under allow-all', (version, start) => {
  const known = KnownDifferences.read('known-differences.json', version);
  let target: Target;
  let direct: Run;
  let edge: Run;

  beforeAll(async () => {
    target = await start();
    ({ direct, edge } = await bothWays(target, names));
  }, 600_000);
  afterAll(() => target?.stop());

  test.each(names)('P8: %s: the edge says what the server says, message by message', (name) => {
    const found = known.unknown(differences(name, told(direct, name), told(edge, name)));
    expect(found.map(shown).join('\n')).toBe('');
  });

  it('P8: no difference is listed that no longer occurs', () => {
    expect(known.gone(names)).toEqual([]);
  });
});
