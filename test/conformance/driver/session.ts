import { BackendType, encodeCopyData, encodeCopyDone, encodeCopyFail, encodeQuery, encodeStartupPacket } from '@sallyport/wire-postgres';
import { connect } from 'node:net';
import { once } from 'node:events';
import { ANSWER_TIMEOUT_MS, Connection, type ConnectOptions, type Endpoint, type Message } from './connection.js';
import { Transcript } from './transcript.js';

export type { Endpoint } from './connection.js';

/** What is sent when the server asks for copy data: chunks as they are, or a reason to give up. */
export type CopyIn = readonly (string | Buffer)[] | { readonly fail: string };

/** A way to the same database: straight, or through the edge. */
export interface Route {
  readonly name: string;
  /** Where to connect and as whom: each session is given a role of its own. Call `release` when it is over. */
  admit(): Promise<{ readonly endpoint: Endpoint; release(): Promise<void> }>;
}

export interface SessionOptions extends ConnectOptions {
  /** What differs from run to run in this script by nature, and only that. */
  readonly rewrite?: (text: string) => string;
}

/** A connection whose every answer goes into a transcript. */
export class Session {
  readonly transcript: Transcript;
  #ended = false;

  private constructor(
    readonly connection: Connection,
    private readonly endpoint: Endpoint,
    private readonly release: () => Promise<void>,
    rewrite: SessionOptions['rewrite'],
  ) {
    this.transcript = new Transcript(() => connection.processId, rewrite);
  }

  static async open(route: Route, options: SessionOptions = {}): Promise<Session> {
    const { endpoint, release } = await route.admit();
    const connection = await Connection.open(endpoint, options);
    const session = new Session(connection, endpoint, release, options.rewrite);
    // How one signs in is the one thing that may differ.
    for (const message of connection.startup) if (message.type !== BackendType.authentication) session.transcript.add(message);
    if (!connection.ready) session.#ended = true;
    return session;
  }

  /** One simple query; answers up to its ReadyForQuery. */
  async query(sql: string | Buffer, copyIn?: CopyIn): Promise<void> {
    this.transcript.note(`query ${shortened(sql)}`);
    if (this.#ended) return this.transcript.note('  (the connection is gone)');
    this.connection.send(encodeQuery({ kind: 'query', sql: Buffer.from(sql as string) }));
    await this.answers(1, copyIn);
  }

  /** Frames at once, then the answers up to as many ReadyForQuery messages as are expected. */
  async send(what: string, frames: readonly Uint8Array[], readyCount: number, copyIn?: CopyIn): Promise<void> {
    this.transcript.note(what);
    if (this.#ended) return this.transcript.note('  (the connection is gone)');
    this.connection.send(...frames);
    await this.answers(readyCount, copyIn);
  }

  /** Puts answers into the transcript until so many ReadyForQuery messages have come, or the server hangs up. */
  async answers(readyCount: number, copyIn?: CopyIn): Promise<void> {
    for (let left = readyCount; left > 0;) {
      const message = await this.#next();
      if (!message) return;
      if (message.type === BackendType.readyForQuery) left--;
      if (message.type === BackendType.copyInResponse) this.#copyIn(copyIn);
    }
  }

  /** Answers up to the one that asks for copy data or fails, and sends the data if it is asked for. */
  async copyIn(copyIn: CopyIn): Promise<void> {
    const { copyInResponse, errorResponse } = BackendType;
    const message = await this.until([copyInResponse, errorResponse]);
    if (message?.type === copyInResponse) this.#copyIn(copyIn);
  }

  /** Puts answers into the transcript up to the first of one of those types. */
  async until(types: readonly number[], timeoutMs = ANSWER_TIMEOUT_MS): Promise<Message | undefined> {
    for (;;) {
      const message = this.#ended ? undefined : await this.#next(timeoutMs);
      if (!message || types.includes(message.type)) return message;
    }
  }

  /** A cancel request with this session's key, from a connection of its own, as clients do it. */
  async cancel(secret = this.connection.secret): Promise<void> {
    const socket = connect({ host: this.endpoint.host, port: this.endpoint.port });
    await once(socket, 'connect');
    socket.end(encodeStartupPacket({ kind: 'cancelRequest', processId: this.connection.processId, secret }));
    socket.resume();
    await once(socket, 'close');
  }

  async close(): Promise<readonly string[]> {
    await this.connection.close();
    await this.release();
    return this.transcript.end();
  }

  async #next(timeoutMs?: number): Promise<Message | undefined> {
    const message = await this.connection.next(timeoutMs);
    if (message) this.transcript.add(message);
    else {
      this.#ended = true;
      this.transcript.note('  (the server hung up)');
    }
    return message;
  }

  #copyIn(copyIn: CopyIn | undefined): void {
    if (!copyIn) return this.connection.send(encodeCopyFail({ kind: 'copyFail', reason: 'no data' }));
    if ('fail' in copyIn) return this.connection.send(encodeCopyFail({ kind: 'copyFail', reason: copyIn.fail }));
    const chunks = copyIn.map((chunk) => encodeCopyData({ kind: 'copyData', data: Buffer.from(chunk as string) }));
    this.connection.send(...chunks, encodeCopyDone({ kind: 'copyDone' }));
  }
}

function shortened(sql: string | Buffer): string {
  const text = sql.toString();
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
