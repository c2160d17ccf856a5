import { createHash, type Hash } from 'node:crypto';
import { BackendType } from '@sallyport/wire-postgres';
import type { Message } from './connection.js';

/** Larger bodies are told by digest and length. */
const SHOWN_MAX_BYTES = 2048;
/** Of a run of rows that many are shown; the rest is told by digest and count. */
const SHOWN_ROWS = 20;
/** What the user makes has an OID from here on (PostgreSQL: FirstNormalObjectId). */
const FIRST_USER_OID = 16384;
/** As the vendor names roles: all have the same length, so that lengths and paddings stay comparable. */
const ROLE = /sallyport_[a-z0-9]{10}_[0-9a-f]{32}/g;
const ROLE_SHOWN = 'sallyport_INSTALLED_00000000000000000000000000000000'.padEnd('sallyport_'.length + 10 + 1 + 32, '0');

/**
 * What one connection was told, as lines that two runs can be compared by: each message's type and bytes. Only what no two runs
 * on one and the same server share is rewritten: keys, process ids, the session's role, OIDs of what the script made, and numbers
 * of transactions, processes and objects in a few error texts.
 */
export class Transcript {
  readonly lines: string[] = [];
  readonly #oids = new Map<number, number>();
  #rows = 0;
  #rest: { hash: Hash; bytes: number } | undefined;

  /** `self` is the process id that the server gave in BackendKeyData. */
  constructor(
    private readonly self: () => number,
    /** More of what differs by nature in one script. */
    private readonly rewrite: (text: string) => string = (text) => text,
  ) {}

  note(text: string): void {
    this.#settle();
    this.lines.push(text);
  }

  add({ type, body }: Message): void {
    const letter = String.fromCharCode(type);
    if (type === BackendType.dataRow || type === BackendType.copyData) {
      this.#rows++;
      if (this.#rows > SHOWN_ROWS) {
        this.#rest ??= { hash: createHash('sha256'), bytes: 0 };
        this.#rest.hash.update(body);
        this.#rest.bytes += body.length;
        return;
      }
    } else this.#settle();
    this.lines.push(`  ${letter} ${this.#shown(type, body)}`);
  }

  end(): readonly string[] {
    this.#settle();
    return this.lines;
  }

  #settle(): void {
    if (this.#rest)
      this.lines.push(`  … and ${this.#rows - SHOWN_ROWS} more, ${this.#rest.bytes} bytes, sha256 ${this.#rest.hash.digest('hex')}`);
    this.#rows = 0;
    this.#rest = undefined;
  }

  #shown(type: number, body: Buffer): string {
    if (type === BackendType.backendKeyData) return `key of ${body.length - 4} bytes`;
    if (type === BackendType.notificationResponse) {
      const from = body.readInt32BE(0) === this.self() ? 'self' : 'other';
      return `${from} ${quoted(body.subarray(4))}`;
    }
    const bytes =
      type === BackendType.rowDescription ? this.#columns(body) : type === BackendType.parameterDescription ? this.#types(body) : body;
    if (bytes.length > SHOWN_MAX_BYTES)
      return `${bytes.length} bytes, sha256 ${createHash('sha256').update(rewriteRoles(bytes)).digest('hex')}`;
    let text = quoted(bytes).replace(ROLE, ROLE_SHOWN);
    if (type === BackendType.errorResponse || type === BackendType.noticeResponse) text = withoutNumbers(text);
    return this.rewrite(text);
  }

  /** RowDescription with the OIDs of tables and types renumbered in the order in which they came. */
  #columns(body: Buffer): Buffer {
    const copy = Buffer.from(body);
    let at = 2;
    for (let left = copy.readInt16BE(0); left > 0; left--) {
      at = copy.indexOf(0, at) + 1;
      copy.writeUInt32BE(this.#oid(copy.readUInt32BE(at)), at);
      copy.writeUInt32BE(this.#oid(copy.readUInt32BE(at + 6)), at + 6);
      at += 18;
    }
    return copy;
  }

  #types(body: Buffer): Buffer {
    const copy = Buffer.from(body);
    for (let at = 2; at < copy.length; at += 4) copy.writeUInt32BE(this.#oid(copy.readUInt32BE(at)), at);
    return copy;
  }

  #oid(oid: number): number {
    if (oid < FIRST_USER_OID) return oid;
    const known = this.#oids.get(oid) ?? FIRST_USER_OID + this.#oids.size;
    this.#oids.set(oid, known);
    return known;
  }
}

/** Every byte, with what isn't printable ASCII escaped. */
function quoted(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1')).replace(/[\u007f-\u00ff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
}

function rewriteRoles(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(ROLE, ROLE_SHOWN), 'latin1');
}

/** "Process 123 waits for ShareLock on transaction 456": of two sessions, who is who shows elsewhere. */
function withoutNumbers(text: string): string {
  return text
    .replace(/\b(Process|process|transaction|relation|database|PID|tuple) \(?\d[\d,]*\)?/g, '$1 N')
    .replace(/pg_temp_\d+/g, 'pg_temp_N');
}
