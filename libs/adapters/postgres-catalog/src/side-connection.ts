import { type ClientConfig, Client, DatabaseError, type QueryResult } from 'pg';

import { MaskingError } from '@sallyport/masking';

export interface SideConnectionOptions {
  /** How to sign in to the target with the session's own role. */
  readonly client: ClientConfig;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  /** Questions waiting for their turn; one more is refused. */
  readonly maxPending: number;
}

/**
 * One connection that is asked one thing at a time, opened at the first question and again after it broke.
 * A DatabaseError is the server's answer and passes; everything else becomes MASK_CATALOG_AWAY.
 */
export class SideConnection {
  private client: Promise<Client> | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private pending = 0;
  private closed = false;

  constructor(private readonly options: SideConnectionOptions) {}

  /** `ask` has the connection to itself until it settles, and leaves no transaction open. */
  async exclusively<Result>(ask: (client: Client) => Promise<Result>): Promise<Result> {
    if (this.closed) throw away('the session has ended');
    if (this.pending >= this.options.maxPending) throw away('too many questions are waiting (maxPending)');
    this.pending++;
    const turn = this.last.then(() => this.run(ask));
    this.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.pending--;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = await this.client?.catch(() => undefined);
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async run<Result>(ask: (client: Client) => Promise<Result>): Promise<Result> {
    let client: Client | undefined;
    try {
      client = await (this.client ??= this.open());
      return await ask(client);
    } catch (error) {
      if (error instanceof DatabaseError && error.code !== undefined && !/^(?:57P|08)/.test(error.code) && client) throw error;
      this.client = undefined;
      // The socket may hang, and nobody waits for it.
      void client?.end().catch(() => undefined);
      throw away('the target does not answer', error);
    }
  }

  private async open(): Promise<Client> {
    if (this.closed) throw away('the session has ended');
    const client = new Client({
      ...this.options.client,
      connectionTimeoutMillis: this.options.connectTimeoutMs,
      query_timeout: this.options.queryTimeoutMs,
      application_name: 'sallyport-catalog',
    });
    client.on('error', () => {
      this.client = undefined;
    });
    await client.connect();
    return client;
  }
}

/** Several statements in one round trip; the results in their order. */
export async function script(client: Client, text: string): Promise<readonly QueryResult<Record<string, unknown>>[]> {
  const results: unknown = await client.query(text);
  return (Array.isArray(results) ? results : [results]) as QueryResult<Record<string, unknown>>[];
}

function away(why: string, cause?: unknown): MaskingError {
  return new MaskingError('MASK_CATALOG_AWAY', `the target's catalog can't be asked: ${why}`, cause === undefined ? undefined : { cause });
}
