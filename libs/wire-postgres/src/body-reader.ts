import { WireError } from './wire-error.js';
import { decodeText } from './text.js';

/**
 * Reads one message body from front to back. Every read is checked against what is left, so a count or a length that promises
 * more than the body holds fails before anything is allocated for it. Bytes come out as views of the body.
 *
 * Throws {@link WireError} `WIRE_MESSAGE_MALFORMED`.
 */
export class BodyReader {
  private at = 0;

  constructor(
    private readonly body: Buffer,
    private readonly message: string,
  ) {}

  get left(): number {
    return this.body.length - this.at;
  }

  uint8(): number {
    return this.body.readUInt8(this.take(1));
  }

  int16(): number {
    return this.body.readInt16BE(this.take(2));
  }

  int32(): number {
    return this.body.readInt32BE(this.take(4));
  }

  /** For object identifiers. */
  uint32(): number {
    return this.body.readUInt32BE(this.take(4));
  }

  /** An Int16 count, which servers take as unsigned, of items that are at least `itemBytes` each. */
  count(itemBytes: number): number {
    const count = this.body.readUInt16BE(this.take(2));
    if (count * itemBytes > this.left) throw this.malformed('a count is larger than the body');
    return count;
  }

  bytes(length: number): Buffer {
    if (length < 0) throw this.malformed('a negative length');
    const start = this.take(length);
    return this.body.subarray(start, start + length);
  }

  /** Int32 length and that many bytes; −1 is null. */
  value(): Buffer | null {
    const length = this.int32();
    return length === -1 ? null : this.bytes(length);
  }

  /** Up to the NUL, which is taken and not given. */
  cstringBytes(): Buffer {
    const nul = this.body.indexOf(0, this.at);
    if (nul === -1) throw this.malformed('a string without its NUL');
    const bytes = this.body.subarray(this.at, nul);
    this.at = nul + 1;
    return bytes;
  }

  /** A string from a client: UTF-8 or `WIRE_TEXT_NOT_UTF8`. */
  clientString(): string {
    return decodeText(this.cstringBytes());
  }

  /** A string from a server, for us to read: before sign-in it may be in any encoding, and what isn't UTF-8 shows as U+FFFD. */
  serverString(): string {
    return this.cstringBytes().toString('utf8');
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  /** The body must be used up. */
  end(): void {
    if (this.left !== 0) throw this.malformed('bytes after the end');
  }

  malformed(why: string): WireError {
    return new WireError('WIRE_MESSAGE_MALFORMED', `${this.message}: ${why}`);
  }

  private take(length: number): number {
    if (length > this.left) throw this.malformed('shorter than its fields');
    const start = this.at;
    this.at += length;
    return start;
  }
}

/** For messages that are a header and nothing else. */
export function requireEmpty(body: Buffer, message: string): void {
  if (body.length !== 0) throw new WireError('WIRE_MESSAGE_MALFORMED', `${message}: bytes after the end`);
}
