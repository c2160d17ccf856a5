import { connect as dial, type Socket } from 'node:net';
import { connect as startTls } from 'node:tls';
import {
  type AuthenticationSASL,
  BackendType,
  decodeAuthentication,
  encodeOAuthBearerInitialResponse,
  encodePasswordMessage,
  encodeSASLInitialResponse,
  encodeSASLResponse,
  encodeStartupPacket,
  FrameScanner,
  NEGOTIATION_ACCEPTED,
  OAUTHBEARER,
  type StartupMessage,
} from '@sallyport/wire-postgres';

export interface EdgeAddress {
  readonly host: string;
  readonly port: number;
  /** PEM of the certificates to check it by; undefined: no TLS, and then it is this machine. */
  readonly tls: { readonly ca: string | undefined } | undefined;
}

/** A message of the sign-in that is larger is none. */
const SIGN_IN_MAX_BYTES = 256 * 1024;

/** `bytes`: what the client is to get before the two are joined. `ok` is false when the edge refused: the bytes say why. */
export interface SignedInEdge {
  readonly ok: boolean;
  readonly socket: Socket;
  readonly bytes: Buffer;
}

/** Connects to the edge; with TLS when so configured, and then not without. */
export async function dialEdge({ host, port, tls }: EdgeAddress, signal: AbortSignal): Promise<Socket> {
  const socket = dial({ host, port, noDelay: true, signal });
  await once(socket, 'connect');
  if (!tls) return socket;
  socket.write(encodeStartupPacket({ kind: 'sslRequest' }));
  const answer = await pull(socket);
  if (answer?.length !== 1 || answer[0] !== NEGOTIATION_ACCEPTED) throw new Error('the edge offers no TLS');
  const secure = startTls({
    socket,
    ...(/[a-z]/i.test(host) ? { servername: host } : {}),
    host,
    ALPNProtocols: ['postgresql'],
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  });
  await once(secure, 'secureConnect');
  return secure;
}

/** Signs in with the token in the client's stead. What the edge says meanwhile is for the client. */
export async function signInAtEdge(socket: Socket, startup: StartupMessage, token: string): Promise<SignedInEdge> {
  socket.write(encodeStartupPacket(startup));
  const scanner = new FrameScanner({ maxFrameBytes: SIGN_IN_MAX_BYTES });
  const said: Buffer[] = [];
  let isOver: boolean | undefined;
  for (;;) {
    const chunk = await pull(socket);
    if (!chunk) return { ok: false, socket, bytes: Buffer.concat(said) };
    const used = scanner.push(chunk, (type, bytes, start, end) => {
      const body = bytes.subarray(start, end);
      if (type !== BackendType.authentication) {
        said.push(Buffer.from(bytes.subarray(start - 5, end)));
        if (type === BackendType.errorResponse) isOver = false;
      } else {
        const asked = decodeAuthentication(body);
        if (asked.kind === 'authenticationOk') {
          said.push(Buffer.from(bytes.subarray(start - 5, end)));
          isOver = true;
        } else socket.write(answerTo(asked, token));
      }
      return isOver === undefined;
    });
    if (isOver !== undefined) return { ok: isOver, socket, bytes: Buffer.concat([...said, chunk.subarray(used)]) };
  }
}

function answerTo(asked: ReturnType<typeof decodeAuthentication>, token: string): Buffer {
  switch (asked.kind) {
    case 'authenticationCleartextPassword':
      return encodePasswordMessage({ kind: 'passwordMessage', password: token });
    case 'authenticationSasl':
      return bearer(asked, token);
    case 'authenticationSaslContinue':
      // RFC 7628, section 3.2.3: the failure was told; this asks for the error itself.
      return encodeSASLResponse({ kind: 'saslResponse', data: Buffer.from('\u0001') });
    default:
      throw new Error('the edge asks to sign in by another way than a token');
  }
}

function bearer({ mechanisms }: AuthenticationSASL, token: string): Buffer {
  if (!mechanisms.includes(OAUTHBEARER)) throw new Error('the edge asks to sign in by another way than a token');
  return encodeSASLInitialResponse({
    kind: 'saslInitialResponse',
    mechanism: OAUTHBEARER,
    data: encodeOAuthBearerInitialResponse({ token }),
  });
}

/** The next bytes; undefined at the end. The socket stands still until the next call. */
export function pull(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed || socket.readableEnded) return resolve(undefined);
    const settled = (): void => {
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      socket.off('error', onError);
    };
    const onData = (bytes: Buffer): void => {
      settled();
      resolve(bytes);
    };
    const onEnd = (): void => {
      settled();
      resolve(undefined);
    };
    const onError = (error: Error): void => {
      settled();
      reject(error);
    };
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    socket.on('error', onError);
    socket.resume();
  });
}

function once(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(event, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
