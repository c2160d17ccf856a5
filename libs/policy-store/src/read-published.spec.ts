import { gzipSync } from 'node:zlib';
import { TOPICS } from '@sallyport/bus';
import { KEY_HEADER, signRecord } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { POLICY_COMMENT_MAX_CHARS, POLICY_FILE_MAX_BYTES, POLICY_RECORD_MAX_BYTES, readPublished, refusalOf } from './index.js';
import { placed, recordOf, revision } from './testing.js';

const { roster, keys } = enrolled('publisher/ana', 'publisher/bo', 'decision/d1');
const { keys: strangers } = enrolled('publisher/ana');
const key = keys['publisher/ana'];

describe('a published policy', () => {
  it('is read as it was written, with the name of who signed it', () => {
    const read = readPublished(roster, placed(recordOf(key, 7, { timeMs: 1000, comment: 'why' })));
    expect(read).toEqual({
      ok: true,
      policy: {
        number: 7,
        revision: revision('a'),
        files: { 'policy.wasm': Buffer.from('wasm'), 'manifest.json': Buffer.from('{}') },
        grants: { grants: [] },
        author: 'publisher/ana',
        timeMs: 1000,
        comment: 'why',
      },
    });
  });

  it('P2: is nothing without the signature of a publisher', () => {
    const record = placed(recordOf(key, 7));
    const reason = (altered: object) => readPublished(roster, { ...record, ...altered });
    expect(reason({ headers: {} })).toMatchObject({ ok: false, reason: 'unsigned' });
    expect(readPublished(roster, placed(recordOf(strangers['publisher/ana'], 7)))).toMatchObject({ reason: 'unknown-key' });
    const forged = { ...placed(recordOf(strangers['publisher/ana'], 7)).headers, [KEY_HEADER]: key.id };
    expect(reason({ headers: forged })).toMatchObject({ reason: 'bad-signature' });
    expect(reason({ value: Buffer.from(record.value.toString().replace('"number":7', '"number":8')) })).toMatchObject({
      reason: 'bad-signature',
    });
    // Moved to another key or topic it isn't signed.
    expect(reason({ key: 'publisher/ana 8' })).toMatchObject({ reason: 'bad-signature' });
    expect(reason({ topic: TOPICS.control })).toMatchObject({ reason: 'bad-signature' });
    expect(readPublished(roster, placed(recordOf(keys['decision/d1'], 7)))).toMatchObject({ reason: 'not-a-publisher' });
  });

  const pack = (text: string): string => gzipSync(text).toString('base64');
  it.each<[string, (event: Record<string, unknown>, data: Record<string, unknown>) => void]>([
    ['another event', (event) => (event['type'] = 'policy.activated')],
    ['another source', (event) => (event['source'] = '/publisher/bo')],
    ['no time', (event) => (event['time'] = 'now')],
    ['a format of later', (_, data) => (data['format'] = 2)],
    ['a number in words', (_, data) => (data['number'] = '7')],
    ['another number than its key', (_, data) => (data['number'] = 8)],
    ['a number that can not grow', (_, data) => (data['number'] = 2 ** 53)],
    ['no revision', (_, data) => (data['revision'] = 'a')],
    ['a long comment', (_, data) => (data['comment'] = 'x'.repeat(POLICY_COMMENT_MAX_CHARS + 1))],
    ['a file that is not packed', (_, data) => (data['files'] = { 'policy.wasm': 'AA', 'manifest.json': pack('{}') })],
    ['a file too many', (_, data) => (data['files'] = { 'policy.wasm': pack(''), 'manifest.json': pack('{}'), more: pack('') })],
    ['no files', (_, data) => delete data['files']],
    ['no data', (event) => (event['data'] = null)],
  ])('P2: signed, but with %s, is malformed', (_, change) => {
    const event = JSON.parse(Buffer.from(recordOf(key, 7).value).toString()) as Record<string, unknown>;
    change(event, event['data'] as Record<string, unknown>);
    const signed = signRecord(key, TOPICS.policies, { key: 'publisher/ana 7', value: Buffer.from(JSON.stringify(event)) });
    expect(readPublished(roster, placed(signed))).toMatchObject({ ok: false, reason: 'malformed' });
  });

  it('P2: signed garbage is malformed', () => {
    const signed = signRecord(key, TOPICS.policies, { key: 'publisher/ana 7', value: Buffer.from('{') });
    expect(readPublished(roster, placed(signed))).toMatchObject({ ok: false, reason: 'malformed' });
  });

  it('P9: a file that unpacks to more than its limit is malformed', () => {
    const event = JSON.parse(Buffer.from(recordOf(key, 7).value).toString()) as { data: { files: Record<string, string> } };
    event.data.files['policy.wasm'] = gzipSync(Buffer.alloc(POLICY_FILE_MAX_BYTES + 1)).toString('base64');
    const signed = signRecord(key, TOPICS.policies, { key: 'publisher/ana 7', value: Buffer.from(JSON.stringify(event)) });
    expect(readPublished(roster, placed(signed))).toMatchObject({ ok: false, reason: 'malformed' });
  });
});

describe('P9: what is too large is not published', () => {
  it('as one record', () => {
    expect(() => recordOf(key, 1, { grants: 'x'.repeat(POLICY_RECORD_MAX_BYTES) })).toThrow(
      expect.objectContaining({ code: 'POLICY_TOO_LARGE', message: expect.stringContaining(`${POLICY_RECORD_MAX_BYTES}`) as string }),
    );
  });

  it('as one file', () => {
    const files = { 'policy.wasm': Buffer.alloc(POLICY_FILE_MAX_BYTES + 1), 'manifest.json': Buffer.from('{}') };
    expect(() => recordOf(key, 1, { files })).toThrow(expect.objectContaining({ code: 'POLICY_TOO_LARGE' }));
  });

  it('or has a number or a comment that nobody would take', () => {
    for (const number of [0, -1, 1.5, 2 ** 53])
      expect(() => recordOf(key, number)).toThrow(expect.objectContaining({ code: 'POLICY_UNPUBLISHABLE' }));
    expect(() => recordOf(key, 1, { comment: 'x'.repeat(POLICY_COMMENT_MAX_CHARS + 1) })).toThrow(
      expect.objectContaining({ code: 'POLICY_UNPUBLISHABLE' }),
    );
  });
});

describe('what keeps a policy from being loaded', () => {
  it.each([
    ['POLICY_REVISION', 'revision'],
    ['POLICY_BUNDLE_DIGEST', 'bundle'],
    ['POLICY_MANIFEST_INVALID', 'bundle'],
    ['POLICY_GRANTS_INVALID', 'grants'],
    ['POLICY_BUILTIN_MISSING', 'builtins'],
    ['POLICY_ENTRYPOINT_MISSING', 'entrypoints'],
    ['POLICY_ENGINE_FAILED', 'engine'],
    ['ANYTHING', 'engine'],
  ])('%s has the name %s', (code, reason) => {
    expect(refusalOf(Object.assign(new Error('why'), { code }))).toEqual({ reason, detail: 'why' });
  });
});
