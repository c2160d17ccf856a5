import type { Socket } from 'node:net';
import type { IdentityPort, Principal } from '@sallyport/identity';
import {
  decodeOAuthBearerInitialResponse,
  decodePasswordMessage,
  decodeSASLInitialResponse,
  decodeSASLResponse,
  encodeAuthenticationCleartextPassword,
  encodeAuthenticationSASL,
  encodeAuthenticationSASLContinue,
  encodeOAuthBearerFailure,
  FrameScanner,
  FrontendType,
  isOAuthBearerAbort,
  OAUTHBEARER,
  WireError,
} from '@sallyport/wire-postgres';
import { pull } from './startup.js';

export interface SignInOptions {
  readonly identity: IdentityPort;
  readonly method: 'password' | 'oauthbearer';
  readonly maxTokenBytes: number;
  /** Told to a client that has no token yet: the issuer's discovery document. */
  readonly discoveryUrl: string | undefined;
}

export type SignedIn =
  | {
      readonly ok: true;
      readonly principal: Principal;
      /** The vendor wants to see it too. Not to be kept. */
      readonly token: string;
      readonly rest: Buffer;
    }
  /** `code` is for metrics and logs; the agent is told only that it failed. */
  | { readonly ok: false; readonly code: string };

/** Asks for the token, as a password or by SASL OAUTHBEARER (RFC 7628), and finds out whose it is. */
export async function signIn(socket: Socket, rest: Buffer, options: SignInOptions): Promise<SignedIn> {
  const messages = new Messages(socket, rest, options.maxTokenBytes + 1024);
  try {
    return options.method === 'password' ? await byPassword(socket, messages, options) : await byOAuthBearer(socket, messages, options);
  } catch (error) {
    if (error instanceof WireError) return { ok: false, code: error.code };
    throw error;
  }
}

async function byPassword(socket: Socket, messages: Messages, { identity }: SignInOptions): Promise<SignedIn> {
  socket.write(encodeAuthenticationCleartextPassword({ kind: 'authenticationCleartextPassword' }));
  const body = await messages.next();
  if (!body) return { ok: false, code: 'CLIENT_GONE' };
  const token = decodePasswordMessage(body).password;
  const identified = await identity.identify(token);
  return identified.ok ? { ok: true, principal: identified.principal, token, rest: messages.rest } : { ok: false, code: identified.code };
}

async function byOAuthBearer(socket: Socket, messages: Messages, { identity, discoveryUrl }: SignInOptions): Promise<SignedIn> {
  socket.write(encodeAuthenticationSASL({ kind: 'authenticationSasl', mechanisms: [OAUTHBEARER] }));
  const body = await messages.next();
  if (!body) return { ok: false, code: 'CLIENT_GONE' };
  const { mechanism, data } = decodeSASLInitialResponse(body);
  if (mechanism !== OAUTHBEARER || !data) return { ok: false, code: 'SASL_MECHANISM' };
  const { token } = decodeOAuthBearerInitialResponse(data);
  const identified = token === '' ? undefined : await identity.identify(token);
  if (identified?.ok) return { ok: true, principal: identified.principal, token, rest: messages.rest };
  const failure = encodeOAuthBearerFailure({
    status: 'invalid_token',
    ...(discoveryUrl === undefined ? {} : { openidConfiguration: discoveryUrl }),
  });
  socket.write(encodeAuthenticationSASLContinue({ kind: 'authenticationSaslContinue', data: failure }));
  const answer = await messages.next();
  if (answer && !isOAuthBearerAbort(decodeSASLResponse(answer).data)) return { ok: false, code: 'SASL_ABORT' };
  return { ok: false, code: identified?.code ?? 'TOKEN_MISSING' };
}

/** The few messages of the authentication phase, one at a time. */
class Messages {
  readonly #scanner: FrameScanner;

  constructor(
    private readonly socket: Socket,
    public rest: Buffer,
    maxFrameBytes: number,
  ) {
    this.#scanner = new FrameScanner({ maxFrameBytes });
  }

  /** The body of the next password message. @throws WireError for any other */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.rest.length === 0) {
        const chunk = await pull(this.socket);
        if (!chunk) return undefined;
        this.rest = chunk;
      }
      let body: Buffer | undefined;
      const used = this.#scanner.push(this.rest, (type, bytes, start, end) => {
        if (type !== FrontendType.password) throw new WireError('WIRE_MESSAGE_MALFORMED', 'expected a password message');
        body = bytes.subarray(start, end);
        return false;
      });
      this.rest = this.rest.subarray(used);
      if (body) return body;
    }
  }
}
