import { formatVerifierKey, generateSigningKey, parseVerifierKeys } from '@sallyport/events';
import * as fc from 'fast-check';
import { buildEvidence, verifyEvidence } from './evidence.js';
import type { Evidence } from './evidence.js';
import { leafHash } from './tree/hashing.js';
import { ProofTree } from './tree/proof-tree.js';
import { edgeKey, ledgerKey, sampleLog, signLog, trusted } from './verify/sample-log.js';

const log = sampleLog();
const tree = new ProofTree(log.events.map(leafHash));
const ofSession = (session: string) =>
  log.events.map((bytes, leafIndex) => ({ bytes, leafIndex })).filter(({ bytes }) => bytes.includes(`"sessionid":"${session}"`));
const events = ofSession('s-1');
const evidence = buildEvidence({ events, tree, checkpoint: log.notes.at(-1)!, keys: trusted });
const keys = { trusted, origin: 'given' as const };

function codes(change: Partial<Evidence>, by = keys) {
  const { integrity, completeness } = verifyEvidence({ ...evidence, ...change }, by);
  return { integrity: integrity.problems.map(({ code }) => code), completeness: completeness.problems.map(({ code }) => code) };
}
const jsonl = (lines: readonly { bytes: Buffer }[]) => Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));

describe('evidence', () => {
  it('P6: holds the bytes as written, a checkpoint, proofs and keys, and proves itself', () => {
    expect(evidence['events.jsonl'].toString().trimEnd().split('\n')).toEqual(events.map(({ bytes }) => bytes.toString()));
    const inclusion = JSON.parse(evidence['inclusion.json']) as { treeSize: number; events: { leafIndex: number; hashes: string[] }[] };
    expect(inclusion.treeSize).toBe(log.events.length);
    expect(inclusion.events.map(({ leafIndex }) => leafIndex)).toEqual(events.map(({ leafIndex }) => leafIndex));
    expect(evidence.keys).toBe(`${formatVerifierKey(edgeKey)}\n${formatVerifierKey(ledgerKey)}\n`);
    expect(verifyEvidence(evidence, { trusted: parseVerifierKeys(evidence.keys), origin: 'directory' })).toMatchObject({
      integrity: { ok: true },
      completeness: { ok: true },
      sessions: { opened: 1, closed: 1, open: [] },
      events: events.length,
      head: { size: log.events.length, root: tree.root().toString('base64') },
      keys: 'from the directory itself',
    });
  });

  it('P6: shows any single byte changed in the events', () => {
    fc.assert(
      fc.property(fc.nat(evidence['events.jsonl'].length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(evidence['events.jsonl']);
        bytes[at]! ^= flip;
        expect(codes({ 'events.jsonl': bytes }).integrity).not.toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('P6: shows any event left out, with its proof or without', () => {
    const inclusion = JSON.parse(evidence['inclusion.json']) as { events: unknown[] };
    for (const index of events.keys()) {
      const file = jsonl(events.filter((_, other) => other !== index));
      expect(codes({ 'events.jsonl': file }).integrity).toContain('INCLUSION_MISMATCH');
      const proofs = JSON.stringify({ ...inclusion, events: inclusion.events.filter((_, other) => other !== index) });
      const found = codes({ 'events.jsonl': file, 'inclusion.json': proofs });
      expect([...found.integrity, ...found.completeness]).not.toEqual([]);
    }
  });

  it('P6: shows proofs that say they are for another tree', () => {
    const inclusion = JSON.parse(evidence['inclusion.json']) as object;
    for (const change of [{ log: 'sallyport.sessions.v1/1' }, { treeSize: 1 }]) {
      expect(codes({ 'inclusion.json': JSON.stringify({ ...inclusion, ...change }) }).integrity).toEqual(['INCLUSION_MISMATCH']);
    }
  });

  it('P6: shows events out of order', () => {
    const inclusion = JSON.parse(evidence['inclusion.json']) as { events: unknown[] };
    const swap = <T>(list: readonly T[]) => [list[0]!, list[2]!, list[1]!, ...list.slice(3)];
    const found = codes({
      'events.jsonl': jsonl(swap(events)),
      'inclusion.json': JSON.stringify({ ...inclusion, events: swap(inclusion.events) }),
    });
    expect(found.integrity).toEqual(expect.arrayContaining(['SEQUENCE_GAP', 'INCLUSION_MISMATCH']));
  });

  it('P6: shows another tree, another signer and a session without its end', () => {
    const other = signLog(log.events.slice(0, -1)).at(-1)!;
    expect(codes({ checkpoint: other }).integrity).toContain('INCLUSION_MISMATCH');
    expect(codes({ checkpoint: signLog(log.events, 5, generateSigningKey('ledger/one')).at(-1)! }).integrity).toEqual([
      'CHECKPOINT_SIGNATURE',
    ]);
    expect(codes({}, { ...keys, trusted: [edgeKey] }).integrity).toEqual(['CHECKPOINT_SIGNATURE']);
    expect(codes({}, { ...keys, trusted: [ledgerKey] }).integrity).toEqual(['CLOSING_KEY_UNKNOWN']);
    const open = buildEvidence({ events: events.slice(0, -1), tree, checkpoint: log.notes.at(-1)!, keys: trusted });
    expect(codes(open)).toEqual({ integrity: [], completeness: ['LOG_TRUNCATED'] });
    expect(codes({ 'events.jsonl': Buffer.alloc(0), 'inclusion.json': '{"log":"x","treeSize":0,"events":[]}' }).completeness).toEqual([
      'LOG_TRUNCATED',
    ]);
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"log":"l","treeSize":1,"events":[{}]}',
    '{"log":"l","treeSize":1,"events":[{"leafIndex":0,"hashes":["AA"]}]}',
    '{"log":"l","treeSize":1,"events":[null]}',
  ])('P9: reads the proofs %j as a problem, not an exception', (text) => {
    expect(codes({ 'inclusion.json': text }).integrity).toContain('INCLUSION_MALFORMED');
  });

  it('is not built from parts that do not fit', () => {
    const build = (change: Partial<Parameters<typeof buildEvidence>[0]>) => () =>
      buildEvidence({ events, tree, checkpoint: log.notes.at(-1)!, keys: trusted, ...change });
    const malformed = expect.objectContaining({ code: 'LEDGER_EVIDENCE_MALFORMED' }) as Error;
    expect(build({ tree: new ProofTree() })).toThrow(malformed);
    expect(build({ checkpoint: log.notes[1]! })).toThrow(malformed);
    expect(build({ events: [{ bytes: events[0]!.bytes, leafIndex: events[1]!.leafIndex }] })).toThrow(malformed);
    expect(build({ events: [{ bytes: Buffer.from('a\nb'), leafIndex: 0 }] })).toThrow(malformed);
  });
});
