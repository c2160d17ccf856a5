import { isAscii, isUtf8 } from 'node:buffer';
import type { Refusal } from '@sallyport/session';
import { notAscii, notUtf8 } from './refusals.js';

/**
 * Statements as the target reads them. In every encoding that is let through ASCII is ASCII; beyond it only UTF-8 is read, and only
 * in a session that never was in another encoding: a statement that is sent ahead may be read in the one from before.
 */
export class ClientText {
  readonly #client = new Set<string>();
  #server = '';

  parameterStatus(name: string, value: string): void {
    if (name === 'client_encoding') this.#client.add(value);
    if (name === 'server_encoding') this.#server = value;
  }

  /** Undefined when it can't be read as the target reads it. */
  of(sql: Buffer): string | undefined {
    if (this.#isUtf8) return isUtf8(sql) ? sql.toString('utf8') : undefined;
    return isAscii(sql) ? sql.toString('latin1') : undefined;
  }

  /** Why it could not be read. */
  unreadable(): Refusal {
    return this.#isUtf8 ? notUtf8() : notAscii();
  }

  /** With SQL_ASCII the server takes the bytes as they are, as text in its own encoding. */
  get #isUtf8(): boolean {
    for (const encoding of this.#client) {
      if (encoding !== 'UTF8' && !(encoding === 'SQL_ASCII' && this.#server === 'UTF8')) return false;
    }
    return true;
  }
}
