import { encodeBind, encodeClose, encodeDescribe, encodeExecute, encodeFlush, encodeParse, encodeSync } from '@sallyport/wire-postgres';
import type { Target } from '../../harness/index.mjs';
import { type Route, Session, type SessionOptions } from '../driver/session.js';

/** A conversation that no file of statements can tell: run against a way, it returns what its connections were told. */
export interface Script {
  readonly name: string;
  run(route: Route, target: Target): Promise<readonly string[]>;
}

/** A script of one connection. */
export function script(name: string, body: (session: Session, target: Target) => Promise<void>, options?: SessionOptions): Script {
  return {
    name,
    async run(route, target) {
      const session = await Session.open(route, options);
      try {
        await body(session, target);
      } finally {
        await session.close();
      }
      return session.transcript.end();
    },
  };
}

/** A script of several connections; what each was told stands behind the other. */
export function together(
  name: string,
  count: number,
  body: (sessions: readonly Session[]) => Promise<void>,
  options?: SessionOptions,
): Script {
  return {
    name,
    async run(route) {
      const sessions: Session[] = [];
      for (let i = 0; i < count; i++) sessions.push(await Session.open(route, options));
      try {
        await body(sessions);
      } finally {
        for (const session of sessions) await session.close();
      }
      return sessions.flatMap((session, i) => [`connection ${i + 1}`, ...session.transcript.end()]);
    },
  };
}

export type Value = string | Buffer | null;

export const sync = encodeSync({ kind: 'sync' });
export const flush = encodeFlush({ kind: 'flush' });

export function parse(sql: string | Buffer, statement = '', parameterTypes: readonly number[] = []): Buffer {
  return encodeParse({ kind: 'parse', statement, sql: Buffer.from(sql as string), parameterTypes });
}

export function bind(
  values: readonly Value[] = [],
  {
    portal = '',
    statement = '',
    formats = [],
    results = [],
  }: {
    readonly portal?: string;
    readonly statement?: string;
    readonly formats?: readonly number[];
    readonly results?: readonly number[];
  } = {},
): Buffer {
  const parameters = values.map((value) => (value === null ? null : Buffer.from(value as string)));
  return encodeBind({ kind: 'bind', portal, statement, parameterFormats: formats, parameters, resultFormats: results });
}

export function execute(portal = '', maxRows = 0): Buffer {
  return encodeExecute({ kind: 'execute', portal, maxRows });
}

export function describeStatement(name = ''): Buffer {
  return encodeDescribe({ kind: 'describe', target: 'statement', name });
}

export function describePortal(name = ''): Buffer {
  return encodeDescribe({ kind: 'describe', target: 'portal', name });
}

export function closeStatement(name = ''): Buffer {
  return encodeClose({ kind: 'close', target: 'statement', name });
}

export function closePortal(name = ''): Buffer {
  return encodeClose({ kind: 'close', target: 'portal', name });
}

/** Parse, Bind, Describe and Execute, as drivers do it. No Sync. */
export function ask(sql: string, values: readonly Value[] = []): Buffer[] {
  return [parse(sql), bind(values), describePortal(), execute()];
}

/** A frame of any type, for what no encoder makes. */
export function frame(type: string, body: Buffer = Buffer.alloc(0), length = body.length + 4): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(length, 1);
  return Buffer.concat([head, body]);
}
