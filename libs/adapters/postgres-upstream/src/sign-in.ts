import {
  type BackendMessage,
  encodePasswordMessage,
  encodeSASLInitialResponse,
  encodeSASLResponse,
  encodeStartupPacket,
  type ErrorFields,
  type NegotiateProtocolVersion,
  type TransactionStatus,
  type UnknownMessage,
} from '@sallyport/wire-postgres';
import utils from 'pg/lib/crypto/utils.js';

import type { Conversation } from './conversation.js';
import { refusedBy, UpstreamError } from './errors.js';
import { Scram } from './scram.js';

export type UpstreamProtocol = '3.0' | '3.2';

/** How the target made sure of us; `none` when it asked for nothing. */
export type UpstreamAuthentication = 'none' | 'scram-sha-256' | 'scram-sha-256-plus' | 'md5' | 'cleartext';

/** What a CancelRequest must show. */
export interface BackendKey {
  readonly processId: number;
  readonly secret: Buffer;
}

export interface Credentials {
  readonly protocol: UpstreamProtocol;
  readonly parameters: Readonly<Record<string, string>>;
  readonly password: string | undefined;
  /** Whether a password may be shown to the target. */
  readonly verified: boolean;
}

export interface SignedIn {
  readonly protocol: UpstreamProtocol;
  readonly authentication: UpstreamAuthentication;
  readonly parameterStatus: readonly (readonly [name: string, value: string])[];
  readonly backendKey: BackendKey;
  readonly notices: readonly ErrorFields[];
  readonly unknownOptions: readonly string[];
  readonly transactionStatus: TransactionStatus;
}

/**
 * From the startup packet to ReadyForQuery (chapter 'Start-up').
 *
 * Rejects with {@link UpstreamError}.
 */
export async function signIn(conversation: Conversation, credentials: Credentials): Promise<SignedIn> {
  const parameters = new Map(Object.entries(credentials.parameters));
  const minor = credentials.protocol === '3.2' ? 2 : 0;
  conversation.write(encodeStartupPacket({ kind: 'startupMessage', protocol: { major: 3, minor }, parameters }));

  const started = await authenticate(conversation, credentials);
  const parameterStatus: (readonly [string, string])[] = [];
  const { notices } = started;
  let backendKey: BackendKey | undefined;
  for (;;) {
    const message = await conversation.message();
    switch (message.kind) {
      case 'parameterStatus':
        parameterStatus.push([message.name, message.value]);
        break;
      case 'backendKeyData':
        backendKey = { processId: message.processId, secret: Buffer.from(message.secret) };
        break;
      case 'noticeResponse':
        notices.push(message.fields);
        break;
      case 'errorResponse':
        throw refusedBy(message.fields);
      case 'readyForQuery':
        // Without a key nothing that runs could be cancelled, and a session that is revoked would run on.
        if (backendKey === undefined) throw new UpstreamError('UPSTREAM_PROTOCOL', 'the target gave no key to cancel with');
        return { ...started, parameterStatus, backendKey, transactionStatus: message.status };
      default:
        throw unexpected(message);
    }
  }
}

interface Started extends Pick<SignedIn, 'protocol' | 'authentication' | 'unknownOptions'> {
  readonly notices: ErrorFields[];
}

async function authenticate(conversation: Conversation, credentials: Credentials): Promise<Started> {
  let scram: Scram | undefined;
  let authentication: UpstreamAuthentication = 'none';
  let { protocol } = credentials;
  let unknownOptions: readonly string[] = [];
  const notices: ErrorFields[] = [];
  for (;;) {
    const message = await conversation.message();
    switch (message.kind) {
      case 'negotiateProtocolVersion':
        protocol = negotiated(message, protocol);
        unknownOptions = message.unknownOptions;
        break;
      case 'authenticationSasl':
        if (authentication !== 'none') throw unexpected(message);
        scram = new Scram(message.mechanisms, conversation.socket, passwordFor(credentials));
        authentication = scram.first.mechanism === 'SCRAM-SHA-256-PLUS' ? 'scram-sha-256-plus' : 'scram-sha-256';
        conversation.write(encodeSASLInitialResponse({ kind: 'saslInitialResponse', ...scram.first }));
        break;
      case 'authenticationSaslContinue':
        if (scram === undefined) throw unexpected(message);
        conversation.write(encodeSASLResponse({ kind: 'saslResponse', data: await scram.answer(message.data) }));
        break;
      case 'authenticationSaslFinal':
        if (scram === undefined) throw unexpected(message);
        scram.finish(message.data);
        break;
      case 'authenticationCleartextPassword':
        if (authentication !== 'none') throw unexpected(message);
        authentication = 'cleartext';
        conversation.write(encodePasswordMessage({ kind: 'passwordMessage', password: shownPassword(credentials, 'in clear text') }));
        break;
      case 'authenticationMd5Password': {
        if (authentication !== 'none') throw unexpected(message);
        authentication = 'md5';
        const password = shownPassword(credentials, 'as an MD5 hash');
        const hash = await utils.postgresMd5PasswordHash(credentials.parameters['user'] ?? '', password, message.salt);
        conversation.write(encodePasswordMessage({ kind: 'passwordMessage', password: hash }));
        break;
      }
      case 'authenticationOk':
        if (scram !== undefined && !scram.verified) {
          throw new UpstreamError(
            'UPSTREAM_AUTH',
            'the target accepted without proving that it knows the password: it may not be who it should',
          );
        }
        return { protocol, authentication, unknownOptions, notices };
      case 'authenticationOther':
        throw new UpstreamError(
          'UPSTREAM_AUTH',
          `the target asks for authentication method ${message.method}: set scram-sha-256 in its pg_hba.conf`,
        );
      case 'noticeResponse':
        notices.push(message.fields);
        break;
      case 'errorResponse':
        throw refusedBy(message.fields);
      default:
        throw unexpected(message);
    }
  }
}

/** An older server, or one that doesn't know an option, says so before anything else. */
function negotiated({ newest }: NegotiateProtocolVersion, asked: UpstreamProtocol): UpstreamProtocol {
  if (newest.major === 3 && newest.minor === 0) return '3.0';
  if (newest.major === 3 && newest.minor === 2 && asked === '3.2') return '3.2';
  throw new UpstreamError('UPSTREAM_PROTOCOL', `the target speaks protocol ${newest.major}.${newest.minor}, which was not asked for`);
}

function passwordFor({ password }: Credentials): string {
  if (password === undefined || password === '') {
    throw new UpstreamError('UPSTREAM_AUTH', 'the target asks for a password, and the credential has none');
  }
  return password;
}

function shownPassword(credentials: Credentials, how: string): string {
  if (!credentials.verified) {
    throw new UpstreamError(
      'UPSTREAM_AUTH',
      `the target asks for the password ${how}, and it isn't known who would read it: ` +
        'set scram-sha-256 in its pg_hba.conf, or tls: verify-full for this resource',
    );
  }
  return passwordFor(credentials);
}

function unexpected(message: BackendMessage | UnknownMessage): UpstreamError {
  const what = message.kind === 'unknown' ? `message type ${message.type}` : message.kind;
  return new UpstreamError('UPSTREAM_PROTOCOL', `the target sent ${what} out of turn`);
}
