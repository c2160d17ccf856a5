import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivateKey } from 'node:crypto';
import { formatVerifierKey, generateSigningKey, parseVerifierKey, signingKeyFromPem } from '@sallyport/events';
import { logName, parseCheckpoint, signCheckpoint } from './checkpoint.js';
import { NOTE_MAX_BYTES, noteSigner, parseNote, signNote } from './note.js';

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../testdata/vectors.json'), 'utf8')) as {
  note: { seed: string; verifierKey: string; checkpoint: string };
};
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const key = generateSigningKey('ledger/test');
const head = { log: logName('sallyport.sessions.v1', 0), size: 3, root: Buffer.alloc(32, 7) };

describe('checkpoint', () => {
  it('P6: is byte for byte what the reference implementation of signed notes makes', () => {
    const { seed, verifierKey, checkpoint } = vectors.note;
    const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(seed, 'base64')]);
    const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }).toString();
    const signer = signingKeyFromPem('ledger/test', pem);
    expect(formatVerifierKey(signer)).toBe(verifierKey);
    const parsed = parseCheckpoint(checkpoint);
    expect(parsed).toMatchObject({ log: 'sallyport.sessions.v1/0', size: 37 });
    expect(noteSigner(parsed.signed, [parseVerifierKey(verifierKey)])?.name).toBe('ledger/test');
    expect(signCheckpoint(parsed, signer)).toBe(checkpoint);
  });

  it('P6: is signed by a trusted key or by none', () => {
    const note = signCheckpoint(head, key);
    const { signed, ...parsed } = parseCheckpoint(note);
    expect(parsed).toEqual(head);
    expect(noteSigner(signed, [generateSigningKey('ledger/other'), key])).toBe(key);
    expect(noteSigner(signed, [])).toBeUndefined();
    expect(noteSigner(signed, [generateSigningKey('ledger/test')])).toBeUndefined();
    expect(noteSigner(parseNote(note.replace('\n3\n', '\n4\n')), [key])).toBeUndefined();
  });

  it('P6: takes a second signature by a witness, and is void when a trusted one is wrong', () => {
    const witness = generateSigningKey('witness/one');
    const note = signCheckpoint(head, key);
    const other = signNote(parseNote(note).text, witness).split('\n').at(-2)!;
    const both = parseNote(`${note}${other}\n`);
    expect(noteSigner(both, [key])).toBe(key);
    expect(noteSigner(both, [witness])).toBe(witness);
    const wrong = signNote('something else\n', witness).split('\n').at(-2)!;
    expect(noteSigner(parseNote(`${note}${wrong}\n`), [key, witness])).toBeUndefined();
  });

  const good = signCheckpoint(head, key);
  it.each([
    ['nothing', ''],
    ['no signature', good.slice(0, good.indexOf('\n\n') + 2)],
    ['no newline at the end', good.slice(0, -1)],
    ['a signature line without its dash', good.replace('— ', '- ')],
    ['a signature that is not base64', good.replace(/=*\n$/, '!\n')],
    ['a control character', good.replace('\n3\n', '\n3\r\n')],
    ['a size with a sign', good.replace('\n3\n', '\n+3\n')],
    ['a size with a leading zero', good.replace('\n3\n', '\n03\n')],
    ['a size beyond what a number holds', good.replace('\n3\n', '\n9999999999999999\n')],
    ['a root that is too short', good.replace(/\n3\n.*\n/, '\n3\nAAAA\n')],
    ['no root', good.replace(/\n3\n.*\n/, '\n3\n')],
    ['an endless text', `${'x'.repeat(NOTE_MAX_BYTES)}${good}`],
  ])('refuses %s', (_, note) => {
    expect(() => parseCheckpoint(note)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^LEDGER_(NOTE|CHECKPOINT)_MALFORMED$/) as string }),
    );
  });

  it('refuses a log name with a newline and a text without one', () => {
    expect(() => signCheckpoint({ ...head, log: 'a\n99' }, key)).toThrow(expect.objectContaining({ code: 'LEDGER_CHECKPOINT_MALFORMED' }));
    expect(() => signNote('a', key)).toThrow(expect.objectContaining({ code: 'LEDGER_NOTE_MALFORMED' }));
  });
});
