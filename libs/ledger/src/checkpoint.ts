import type { SigningKey } from '@sallyport/events';
import { LedgerError } from './ledger-error.js';
import { parseNote, signNote } from './note.js';
import type { SignedNote } from './note.js';
import { HASH_BYTES } from './tree/hashing.js';

/** The state of a log at one size. */
export interface TreeHead {
  /** The origin line: the log's name, one partition of a topic, `sallyport.sessions.v1/0`. */
  readonly log: string;
  readonly size: number;
  readonly root: Buffer;
}

export interface ParsedCheckpoint extends TreeHead {
  readonly signed: SignedNote;
}

/** `TOPIC/PARTITION`: what a partition's log is called in its checkpoints. */
export function logName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** A signed tree head as C2SP tlog-checkpoint: origin, size, base64 root, empty line, signature. */
export function signCheckpoint({ log, size, root }: TreeHead, key: SigningKey): string {
  if (log === '' || /\s/.test(log)) throw new LedgerError('LEDGER_CHECKPOINT_MALFORMED', 'the name of a log has no space and is not empty');
  return signNote(`${log}\n${size}\n${root.toString('base64')}\n`, key);
}

/** Reads a checkpoint, its signature not yet checked. Extension lines are kept in `signed.text`. Throws `LEDGER_CHECKPOINT_MALFORMED`, `LEDGER_NOTE_MALFORMED`. */
export function parseCheckpoint(note: string): ParsedCheckpoint {
  const signed = parseNote(note);
  const [log, sizeText, rootText] = signed.text.split('\n');
  if (log === undefined || log === '' || sizeText === undefined || rootText === undefined) throw malformed('lacks a line');
  if (!/^(0|[1-9]\d{0,15})$/.test(sizeText) || !Number.isSafeInteger(Number(sizeText))) throw malformed('has a size that is none');
  const root = Buffer.from(rootText, 'base64');
  if (root.length !== HASH_BYTES || root.toString('base64') !== rootText) throw malformed('has a root that is no hash');
  return { log, size: Number(sizeText), root, signed };
}

function malformed(what: string): LedgerError {
  return new LedgerError('LEDGER_CHECKPOINT_MALFORMED', `the checkpoint ${what}`);
}
