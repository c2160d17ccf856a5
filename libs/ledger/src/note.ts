import { noteKeyHash } from '@sallyport/events';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import { LedgerError } from './ledger-error.js';

/** A signed note (C2SP signed-note): text that ends with a newline, and signatures by name. */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** Four bytes that tell keys of one name apart. */
  readonly keyHash: Buffer;
  readonly signature: Buffer;
}

export const NOTE_MAX_BYTES = 64 * 1024;
const NOTE_MAX_SIGNATURES = 100;

export function signNote(text: string, key: SigningKey): string {
  if (!text.endsWith('\n')) throw new LedgerError('LEDGER_NOTE_MALFORMED', 'the text of a note must end with a newline');
  const encoded = Buffer.concat([noteKeyHash(key.name, key.publicKey), key.sign(Buffer.from(text))]).toString('base64');
  return `${text}\n— ${key.name} ${encoded}\n`;
}

/** Reads a note, its signatures not yet checked. Throws `LEDGER_NOTE_MALFORMED`. */
export function parseNote(note: string): SignedNote {
  if (Buffer.byteLength(note) > NOTE_MAX_BYTES) throw malformed('is too long');
  // oxlint-disable-next-line no-control-regex -- C2SP signed-note allows no control character but the newline
  if (/[\u0000-\u0009\u000b-\u001f\ufffd]/.test(note)) throw malformed('has a character that is not allowed');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw malformed('has no signatures');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > NOTE_MAX_SIGNATURES) throw malformed('has too many signatures');
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** The trusted key that signed it, or undefined. A signature that names a trusted key and is wrong voids the note (C2SP signed-note). */
export function noteSigner(note: SignedNote, trusted: readonly VerifierKey[]): VerifierKey | undefined {
  const bytes = Buffer.from(note.text);
  let signer: VerifierKey | undefined;
  for (const { name, keyHash, signature } of note.signatures) {
    const key = trusted.find((key) => key.name === name && noteKeyHash(key.name, key.publicKey).equals(keyHash));
    if (!key) continue;
    if (!key.verify(bytes, signature)) return undefined;
    signer ??= key;
  }
  return signer;
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^+\s]+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw malformed('has a signature line that is none');
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < 5 || bytes.toString('base64') !== encoded) throw malformed('has a signature that is not base64');
  return { name, keyHash: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

function malformed(what: string): LedgerError {
  return new LedgerError('LEDGER_NOTE_MALFORMED', `the note ${what}`);
}
