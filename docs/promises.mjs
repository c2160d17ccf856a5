#!/usr/bin/env node
/**
 * Writes docs/promises.md: each promise with the tests that hold it, found by their names (`P1: …`, `P3 P4: …`).
 *
 *   node docs/promises.mjs [--check]
 *
 * `--check` writes nothing and exits 1 when the page isn't what it would write.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The texts are the product's word: a change is a decision (ADR). `notYetHeld` says what no test shows yet. */
const PROMISES = [
  {
    id: 'P1',
    text: "**Nothing off the record.** An operation takes effect at the target only after its intent is durable. A read's result is released only after its record is durable. Durable means what the resource's class says: `process` (survives the edge's death), `disk` (synced; the default), `replicated` (on the bus, all in-sync replicas). If the record can't be made, the operation is refused.",
  },
  {
    id: 'P2',
    text: "**Nothing undecided.** Every operation has a verdict that names the policy revision and the rules behind it. A message the edge doesn't know, a policy that is missing, slow or undefined, a mask that can't be applied: each is a refusal.",
  },
  {
    id: 'P3',
    text: "**The agent never holds the target's credential**, and neither does the log, the bus, a file or an error message. A secret crosses the bus only sealed to the one edge session that asked for it, and lives only in that process's memory.",
  },
  {
    id: 'P4',
    text: '**A credential dies with its session**: dropped when the session ends, expired by the target itself when nobody is left to drop it, and swept when a process was killed between the two.',
  },
  {
    id: 'P5',
    text: "**A masked value never leaves in the clear**: not by alias, expression, view, row constructor, cursor, `COPY`, `RETURNING`, notice, error text, binary format or a split across packets; not to the agent, not into a recording, not into the log. What can't be proven masked is refused, with the reason.",
  },
  {
    id: 'P6',
    text: '**The record proves itself.** Alteration, deletion, reordering, and truncation of the log are each found by anyone with the public key and a copy of the log, offline. `verify` gives two verdicts: integrity and completeness.',
  },
  {
    id: 'P7',
    text: '**State is a fold of the log.** Every read model can be dropped and rebuilt from the log, and comes out equal.',
  },
  {
    id: 'P8',
    text: "**The protocol is the target's own.** Under an allow-all policy a client can't tell the edge from the target, beyond how it signs in. A refusal looks like the target's own refusal: in Postgres SQLSTATE 42501 inside an intact connection, in HTTP 403 with problem+json, in Kubernetes a Status, in AWS an AccessDenied error document, in SSH a non-zero exit with a reason on stderr, in MCP a tool result with `isError`.",
    notYetHeld: 'there is a Postgres edge only; HTTP, Kubernetes, AWS, SSH and MCP are not built yet.',
  },
  {
    id: 'P9',
    text: "**One peer can't hurt another.** Every buffer, queue, frame, wait and connection count has a limit with a name and a default. A slow, silent, huge or hostile peer costs itself only.",
  },
  {
    id: 'P10',
    text: '**Revocation reaches everywhere.** One event ends every live session of a principal, on every edge, within a second; each edge acknowledges, and who has not is shown. A session never outlives its token, its approval window or its credential.',
  },
];

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(import.meta.dirname, 'promises.md');
const SUITES = ['apps', 'libs', 'test'];
const NOT_OURS = new Set(['node_modules', 'dist', 'fitness']);
/** The first argument of a call, when it is a string that begins with the number of a promise. */
const TITLE = /\(\s*(?<quote>['"`])(?<ids>P\d+(?:,? P\d+)*): (?<what>(?:\\.|(?!\k<quote>)[^\\])*)\k<quote>\s*,/gsu;

/** Test files, relative to the root, sorted. */
function specs() {
  return SUITES.flatMap((suite) => walk(join(ROOT, suite)))
    .map((path) => relative(ROOT, path).split(sep).join('/'))
    .toSorted();
}

function walk(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : walk(join(dir, entry.name));
    return entry.name.endsWith('.spec.ts') || entry.name === 'conformance.ts' ? [join(dir, entry.name)] : [];
  });
}

/** Promise → file → what its tests say. */
function found() {
  const held = new Map(PROMISES.map(({ id }) => [id, new Map()]));
  for (const file of specs()) {
    for (const { groups } of readFileSync(join(ROOT, file), 'utf8').matchAll(TITLE)) {
      const what = groups.what
        .replaceAll(/\$\{[^}]*\}/g, '…')
        .replaceAll(/\\(.)/g, '$1')
        .replaceAll(/\s+/g, ' ');
      for (const id of groups.ids.split(/,? /)) {
        const files = held.get(id);
        if (files === undefined) throw new Error(`${file}: there is no promise ${id}`);
        files.set(file, [...(files.get(file) ?? []), what]);
      }
    }
  }
  return held;
}

function render(held) {
  const sections = PROMISES.map(({ id, text, notYetHeld }) => {
    const files = held.get(id);
    if (files.size === 0 && notYetHeld === undefined) throw new Error(`${id} has no test: say in docs/promises.mjs what is not yet held`);
    return [
      `## ${id}\n\n${text}\n`,
      ...(notYetHeld === undefined ? [] : [`Not yet held: ${notYetHeld}\n`]),
      ...(files.size === 0 ? [] : [`${[...files].map(([file, tests]) => list(file, tests)).join('\n')}\n`]),
    ].join('\n');
  });
  return `# Promises

Each promise with the tests that hold it. Written by \`npm run promises\` from the names of the tests; a test keeps it current.

${sections.join('\n')}`;
}

function list(file, tests) {
  return [`- ${file}`, ...tests.map((what) => `  - ${what}`)].join('\n');
}

const page = render(found());
if (process.argv.includes('--check')) {
  if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
    process.stderr.write('docs/promises.md is out of date: npm run promises\n');
    process.exit(1);
  }
} else {
  writeFileSync(PAGE, page);
}
