// Which file may import which: direction, cycles, orphans. Type-only imports count, as a direction drawn with types is still drawn.
//
// dependency-cruiser reads TypeScript through swc here (TypeScript 7 has no compiler API for it), which sees `import type`, `export type … from`
// and `import()`, and resolves workspace names to sources by the `development` condition. It does not see `import('x').T` in a type; the
// linter forbids that form (consistent-type-imports). What is about packages and not files (manifests, references) is in test/fitness.

/** The libs in the order of the data flow: each may import those to its left. One place for a new lib. */
const LIBS = [
  'wire-[^/]+',
  'identity',
  'operation',
  'lease',
  'verdict',
  'masking',
  'bus',
  'events',
  'trust',
  'policy-store',
  'journal',
  'ledger',
  'projections',
  'config',
  'session',
];

/** What a lib may use from outside: nothing that does I/O or brings a framework. */
const PURE_PACKAGES = [
  'ajv', // policy inputs and grants by JSON Schema
  'jose', // sealed leases
  'libpg-query', // the real Postgres parser, WebAssembly
  'lru-cache', // bounded caches
  'yaml', // configuration and grants, with positions
  'zod', // configuration and event schemas
];

const TESTS = '(\\.spec\\.ts$|/testing\\.ts$|/testing/|/conformance\\.ts$|-(child|worker)\\.ts$)';
const LIB = '^libs/(?!adapters/)';

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan',
      severity: 'error',
      from: { orphan: true, pathNot: '(/src/index\\.ts|\\.d\\.ts|\\.spec\\.ts|\\.mjs)$' },
      to: {},
    },
    { name: 'resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'every-lib-has-a-place',
      comment: 'Add the lib to LIBS in .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: `^libs/(?!(adapters|${LIBS.join('|')})/)` },
      to: {},
    },
    ...LIBS.slice(0, -1).map((lib, index) => ({
      name: `libs-point-one-way (${lib})`,
      severity: 'error',
      from: { path: `^libs/(${lib})/` },
      to: { path: `^libs/(${LIBS.slice(index + 1).join('|')})/`, pathNot: '^libs/$1/' },
    })),
    {
      name: 'wire-knows-nothing-of-ours',
      severity: 'error',
      from: { path: '^libs/(wire-[^/]+)/' },
      to: { path: '^(libs|apps|policies)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'wire-does-no-io',
      severity: 'error',
      from: { path: '^libs/wire-[^/]+/', pathNot: TESTS },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(assert|buffer|crypto|util)(/|$)' },
    },
    {
      name: 'libs-open-no-sockets',
      severity: 'error',
      comment: 'Except the lock of a journal, which asks `ps` when its holder began where there is no /proc.',
      from: { path: LIB, pathNot: [TESTS, '^libs/journal/src/lock\\.ts$'] },
      to: { dependencyTypes: ['core'], path: '^(node:)?(net|tls|http|https|http2|dgram|dns|child_process|cluster)(/|$)' },
    },
    {
      name: 'libs-import-no-frameworks',
      comment: 'Nest, drivers and clients belong in libs/adapters. A package that does no I/O can join PURE_PACKAGES with its reason.',
      severity: 'error',
      from: { path: LIB, pathNot: [TESTS, '/scripts/'] },
      to: { path: 'node_modules/', pathNot: `node_modules/(${PURE_PACKAGES.join('|')})/` },
    },
    { name: 'libs-know-no-adapter', severity: 'error', from: { path: LIB }, to: { path: '^libs/adapters/' } },
    { name: 'libs-know-no-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'adapters-know-ports-only',
      comment: 'An adapter stands alone; it implements the port of a lib. The pipeline is for apps.',
      severity: 'error',
      from: { path: '^libs/adapters/([^/]+)/', pathNot: TESTS },
      to: { path: ['^libs/adapters/', '^libs/session/'], pathNot: '^libs/adapters/$1/' },
    },
    {
      name: 'one-door-to-kafka',
      severity: 'error',
      comment: 'A bench compares with the bare client.',
      from: { pathNot: ['^libs/adapters/kafka/', '^test/bench/peers/kafkajs\\.mjs$'] },
      to: { path: '(^|node_modules/)kafkajs(/|$)' },
    },
    {
      name: 'apps-know-no-app',
      comment: 'Services meet on the bus. Only the command line composes them.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/sallyport/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['development', 'import', 'node', 'default'] },
  },
};
