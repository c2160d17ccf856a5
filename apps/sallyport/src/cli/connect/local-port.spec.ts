import { createServer, type Server, type Socket } from 'node:net';
import {
  decodeFrontend,
  decodeOAuthBearerInitialResponse,
  encodeAuthenticationCleartextPassword,
  encodeAuthenticationOk,
  encodeAuthenticationSASL,
  encodeErrorResponse,
  encodeReadyForQuery,
  fatal,
  FrameScanner,
  OAUTHBEARER,
  StartupScanner,
} from '@sallyport/wire-postgres';
import { Client } from 'pg';
import { openLocalPort } from './local-port.js';

const TOKEN = 'the-token';

/** As much of an edge as signing in needs. */
function fakeEdge(method: 'password' | 'oauthbearer') {
  const databases: (string | undefined)[] = [];
  const cancels: number[] = [];
  const server: Server = createServer((socket: Socket) => {
    const startup = new StartupScanner();
    const frames = new FrameScanner({ maxFrameBytes: 100_000 });
    let started = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      let from = 0;
      if (!started) {
        const scanned = startup.push(chunk);
        if (!scanned) return;
        from = scanned.end;
        started = true;
        if (scanned.packet.kind === 'cancelRequest') cancels.push(scanned.packet.processId);
        if (scanned.packet.kind !== 'startupMessage') return void socket.end();
        databases.push(scanned.packet.parameters.get('database'));
        socket.write(
          method === 'password'
            ? encodeAuthenticationCleartextPassword({ kind: 'authenticationCleartextPassword' })
            : encodeAuthenticationSASL({ kind: 'authenticationSasl', mechanisms: [OAUTHBEARER] }),
        );
      }
      frames.push(
        chunk,
        (type, bytes, start, end) => {
          const message = decodeFrontend(type, bytes.subarray(start, end), method === 'password' ? 'password' : 'saslInitialResponse');
          const token =
            message.kind === 'passwordMessage'
              ? message.password
              : message.kind === 'saslInitialResponse' && message.data
                ? decodeOAuthBearerInitialResponse(message.data).token
                : undefined;
          if (token === undefined) return;
          if (token !== TOKEN) return void socket.end(encodeErrorResponse(fatal('28P01', 'the token was not accepted')));
          socket.write(
            Buffer.concat([
              encodeAuthenticationOk({ kind: 'authenticationOk' }),
              encodeReadyForQuery({ kind: 'readyForQuery', status: 'I' }),
            ]),
          );
        },
        from,
      );
    });
  });
  return { server, databases, cancels };
}

async function withEdge(
  method: 'password' | 'oauthbearer',
  token: string,
  use: (port: number, edge: ReturnType<typeof fakeEdge>) => Promise<void>,
): Promise<void> {
  const edge = fakeEdge(method);
  await new Promise<void>((resolve) => edge.server.listen(0, '127.0.0.1', resolve));
  const address = edge.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const local = await openLocalPort({
    edge: { host: '127.0.0.1', port, tls: undefined },
    database: 'shop/reports',
    token: () => token,
    port: 0,
    say: () => undefined,
  });
  try {
    await use(local.port, edge);
  } finally {
    await local.close();
    edge.server.close();
  }
}

const client = (port: number, database: string): Client => new Client({ host: '127.0.0.1', port, database, user: 'me' });

describe.each(['password', 'oauthbearer'] as const)('an edge that asks for the token by %s', (method) => {
  it('gets it, and the client has no password', async () => {
    await withEdge(method, TOKEN, async (port, { databases }) => {
      for (const database of ['shop', 'shop/archive', 'elsewhere']) {
        const one = client(port, database);
        one.on('error', () => undefined);
        await one.connect();
        await one.end();
      }
      // Another resource than the one that the port was opened for is not to be had.
      expect(databases).toEqual(['shop', 'shop/archive', 'shop/reports']);
    });
  });

  it('has its refusal told in its own words', async () => {
    await withEdge(method, 'another', async (port) => {
      await expect(client(port, 'shop').connect()).rejects.toMatchObject({ code: '28P01', message: 'the token was not accepted' });
    });
  });
});

it('says so when the edge is away', async () => {
  const said: string[] = [];
  const local = await openLocalPort({
    edge: { host: '127.0.0.1', port: 9, tls: undefined },
    database: 'shop',
    token: () => TOKEN,
    port: 0,
    say: (line) => said.push(line),
  });
  await expect(client(local.port, 'shop').connect()).rejects.toMatchObject({ code: '08006' });
  expect(said).toEqual([expect.stringContaining('ECONNREFUSED')]);
  await local.close();
});
