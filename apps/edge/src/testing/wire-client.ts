import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  BackendType,
  decodeBackend,
  type BackendMessage,
  decodeBackendKeyData,
  encodeBind,
  encodeClose,
  encodeCopyData,
  encodeCopyDone,
  encodeCopyFail,
  encodeDescribe,
  encodeExecute,
  encodeFlush,
  encodeParse,
  encodePasswordMessage,
  encodeQuery,
  encodeStartupPacket,
  encodeSync,
  encodeTerminate,
  FrameScanner,
} from '@sallyport/wire-postgres';

export interface WireOptions {
  readonly port: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly password: string;
  readonly minor?: number;
  readonly tls?: boolean;
}

/** A backend message, short: its letter and what a test looks at. */
export interface Answer {
  readonly type: string;
  readonly body: Buffer;
}

/** A Postgres client that sends what it is told to and keeps every answer. Nothing is done for the caller beyond signing in. */
export class WireClient {
  readonly answers: Answer[] = [];
  processId = 0;
  secret: Buffer = Buffer.alloc(0);
  ended = false;
  #read = 0;
  #wake: (() => void) | undefined;

  constructor(readonly socket: Socket) {
    const scanner = new FrameScanner({ maxFrameBytes: 256 << 20 });
    socket.on('data', (chunk: Buffer) => {
      scanner.push(chunk, (type, bytes, start, end) => {
        this.answers.push({ type: String.fromCharCode(type), body: Buffer.from(bytes.subarray(start, end)) });
      });
      this.#wake?.();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.ended = true;
        this.#wake?.();
      });
    }
  }

  static async connect({ port, parameters, password, minor = 0, tls = false }: WireOptions): Promise<WireClient> {
    const plain = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(plain, 'connect');
    const client = new WireClient(tls ? await upgraded(plain) : plain);
    client.send(
      encodeStartupPacket({ kind: 'startupMessage', protocol: { major: 3, minor }, parameters: new Map(Object.entries(parameters)) }),
    );
    for (;;) {
      const answer = await client.next();
      if (!answer || answer.type === 'Z' || answer.type === 'E') return client;
      if (answer.type === 'K') {
        const key = decodeBackendKeyData(answer.body);
        client.processId = key.processId;
        client.secret = Buffer.from(key.secret);
      }
      if (answer.type === 'R' && answer.body.readInt32BE(0) === 3)
        client.send(encodePasswordMessage({ kind: 'passwordMessage', password }));
      if (answer.type === 'R' && answer.body.readInt32BE(0) > 3 && answer.body.readInt32BE(0) < 12)
        throw new Error('this client signs in with a clear password only');
    }
  }

  send(...frames: readonly Uint8Array[]): this {
    this.socket.write(Buffer.concat(frames));
    return this;
  }

  /** The next answer that was not taken yet; undefined when the other side has hung up. */
  async next(timeoutMs = 10_000): Promise<Answer | undefined> {
    const deadline = Date.now() + timeoutMs;
    while (this.#read >= this.answers.length) {
      if (this.ended) return undefined;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no answer within ${timeoutMs} ms; at last: ${short(this.answers.slice(-20))}`);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => (this.#wake = resolve)),
        new Promise((resolve) => (timer = setTimeout(resolve, left))),
      ]);
      clearTimeout(timer);
    }
    return this.answers[this.#read++];
  }

  /** All answers up to and with the `times`-th of this type, or up to the end of the connection. */
  async until(type: string, times = 1): Promise<Answer[]> {
    const taken: Answer[] = [];
    for (let seen = 0; seen < times;) {
      const answer = await this.next();
      if (!answer) break;
      taken.push(answer);
      if (answer.type === type) seen++;
    }
    return taken;
  }

  /** Sends, and takes the answers up to the next ReadyForQuery. */
  async ask(...frames: readonly Uint8Array[]): Promise<Answer[]> {
    this.send(...frames);
    return this.until('Z');
  }

  /** Whatever comes until the other side hangs up. */
  async rest(): Promise<Answer[]> {
    return this.until('\0');
  }

  close(): void {
    this.socket.destroy();
  }
}

async function upgraded(plain: Socket): Promise<Socket> {
  plain.write(encodeStartupPacket({ kind: 'sslRequest' }));
  await once(plain, 'readable');
  if ((plain.read(1) as Buffer).toString() !== 'S') throw new Error('no TLS there');
  const secure = connectTls({ socket: plain, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  return secure;
}

// --- what to send

const text = (value: string | Buffer): Buffer => (typeof value === 'string' ? Buffer.from(value) : value);

export const query = (sql: string | Buffer): Buffer => encodeQuery({ kind: 'query', sql: text(sql) });
export const parse = (statement: string, sql: string | Buffer, parameterTypes: readonly number[] = []): Buffer =>
  encodeParse({ kind: 'parse', statement, sql: text(sql), parameterTypes });
export const bind = (
  portal: string,
  statement: string,
  values: readonly (string | Buffer | null)[] = [],
  resultFormat: 0 | 1 = 0,
): Buffer =>
  encodeBind({
    kind: 'bind',
    portal,
    statement,
    parameterFormats: [],
    parameters: values.map((value) => (value === null ? null : text(value))),
    resultFormats: [resultFormat],
  });
export const describePortal = (name: string): Buffer => encodeDescribe({ kind: 'describe', target: 'portal', name });
export const describeStatement = (name: string): Buffer => encodeDescribe({ kind: 'describe', target: 'statement', name });
export const execute = (portal: string, maxRows = 0): Buffer => encodeExecute({ kind: 'execute', portal, maxRows });
export const closeStatement = (name: string): Buffer => encodeClose({ kind: 'close', target: 'statement', name });
export const closePortal = (name: string): Buffer => encodeClose({ kind: 'close', target: 'portal', name });
export const sync = (): Buffer => encodeSync({ kind: 'sync' });
export const flush = (): Buffer => encodeFlush({ kind: 'flush' });
export const terminate = (): Buffer => encodeTerminate({ kind: 'terminate' });
export const copyData = (data: string): Buffer => encodeCopyData({ kind: 'copyData', data: Buffer.from(data) });
export const copyDone = (): Buffer => encodeCopyDone({ kind: 'copyDone' });
export const copyFail = (message: string): Buffer => encodeCopyFail({ kind: 'copyFail', reason: message });
/** Parse, Bind, Execute of the unnamed ones. */
export const extended = (sql: string, values: readonly (string | null)[] = [], resultFormat: 0 | 1 = 0): Buffer =>
  Buffer.concat([parse('', sql), bind('', '', values, resultFormat), execute('')]);

// --- what came back

const decoded = ({ type, body }: Answer): BackendMessage => decodeBackend(type.charCodeAt(0), body) as BackendMessage;

/** The letters of the answers, in order: `T D D C Z`. Rows of the same result are told once. */
export function short(answers: readonly Answer[]): string {
  return answers
    .filter(({ type }) => type !== 'S' && type !== 'N')
    .map(({ type, body }) => (type === 'Z' ? `Z${body.toString('latin1')}` : type === 'E' ? `E:${sqlstate({ type, body })}` : type))
    .join(' ');
}

export function sqlstate(answer: Answer | undefined): string | undefined {
  if (answer?.type !== 'E' && answer?.type !== 'N') return undefined;
  return /(?:^|\0)C([^\0]*)\0/.exec(answer.body.toString('latin1'))?.[1];
}

/** The fields of every ErrorResponse, one text each. */
export function errors(answers: readonly Answer[]): string[] {
  return answers.filter(({ type }) => type === 'E').map(({ body }) => body.toString('utf8').replaceAll('\0', '\n'));
}

/** Values of all rows, as text. */
export function rows(answers: readonly Answer[]): (string | null)[][] {
  return answers
    .filter(({ type }) => type === 'D')
    .map((answer) => {
      const message = decoded(answer);
      if (message.kind !== 'dataRow') throw new Error('not a row');
      return message.values.map((value) => (value === null ? null : Buffer.from(value).toString('utf8')));
    });
}

export const tags = (answers: readonly Answer[]): string[] =>
  answers
    .filter(({ type }) => type === String.fromCharCode(BackendType.commandComplete))
    .map(({ body }) => body.subarray(0, -1).toString());

/** Everything that came, as one string: what must not be in it is looked for here. */
export const everything = (answers: readonly Answer[]): string => Buffer.concat(answers.map(({ body }) => body)).toString('latin1');
