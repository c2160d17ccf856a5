import { type Bind, decodeBind, encodeBind } from './messages/bind.js';
import { type Close, decodeClose, encodeClose } from './messages/close.js';
import { type CopyData, decodeCopyData, encodeCopyData } from './messages/copy-data.js';
import { type CopyDone, decodeCopyDone, encodeCopyDone } from './messages/copy-done.js';
import { type CopyFail, decodeCopyFail, encodeCopyFail } from './messages/copy-fail.js';
import { type Describe, decodeDescribe, encodeDescribe } from './messages/describe.js';
import { type Execute, decodeExecute, encodeExecute } from './messages/execute.js';
import { type Flush, decodeFlush, encodeFlush } from './messages/flush.js';
import { type FunctionCall, decodeFunctionCall, encodeFunctionCall } from './messages/function-call.js';
import { type Parse, decodeParse, encodeParse } from './messages/parse.js';
import { type PasswordMessage, decodePasswordMessage, encodePasswordMessage } from './messages/password-message.js';
import { type Query, decodeQuery, encodeQuery } from './messages/query.js';
import { type SASLInitialResponse, decodeSASLInitialResponse, encodeSASLInitialResponse } from './messages/sasl-initial-response.js';
import { type SASLResponse, decodeSASLResponse, encodeSASLResponse } from './messages/sasl-response.js';
import { type Sync, decodeSync, encodeSync } from './messages/sync.js';
import { type Terminate, decodeTerminate, encodeTerminate } from './messages/terminate.js';
import { FrontendType } from './message-types.js';
import type { UnknownMessage } from './unknown-message.js';

/** What a client says after its startup packet. */
export type FrontendMessage =
  | Bind
  | Close
  | CopyData
  | CopyDone
  | CopyFail
  | Describe
  | Execute
  | Flush
  | FunctionCall
  | Parse
  | PasswordMessage
  | Query
  | SASLInitialResponse
  | SASLResponse
  | Sync
  | Terminate;

/** What the server asked for last, and so what the type 'p' means now. */
export type Awaiting = 'password' | 'saslInitialResponse' | 'saslResponse';

/**
 * Decodes one frame's body. Fields of bytes are views of it. Without `awaiting` the type 'p' is unknown.
 *
 * Throws {@link WireError} `WIRE_MESSAGE_MALFORMED`, or `WIRE_TEXT_NOT_UTF8` for a name that isn't UTF-8.
 */
export function decodeFrontend(type: number, body: Buffer, awaiting?: Awaiting): FrontendMessage | UnknownMessage {
  switch (type) {
    case FrontendType.bind:
      return decodeBind(body);
    case FrontendType.close:
      return decodeClose(body);
    case FrontendType.copyData:
      return decodeCopyData(body);
    case FrontendType.copyDone:
      return decodeCopyDone(body);
    case FrontendType.copyFail:
      return decodeCopyFail(body);
    case FrontendType.describe:
      return decodeDescribe(body);
    case FrontendType.execute:
      return decodeExecute(body);
    case FrontendType.flush:
      return decodeFlush(body);
    case FrontendType.functionCall:
      return decodeFunctionCall(body);
    case FrontendType.parse:
      return decodeParse(body);
    case FrontendType.query:
      return decodeQuery(body);
    case FrontendType.sync:
      return decodeSync(body);
    case FrontendType.terminate:
      return decodeTerminate(body);
    case FrontendType.password:
      return decodeAnswer(type, body, awaiting);
    default:
      return { kind: 'unknown', type };
  }
}

function decodeAnswer(type: number, body: Buffer, awaiting: Awaiting | undefined): FrontendMessage | UnknownMessage {
  switch (awaiting) {
    case 'password':
      return decodePasswordMessage(body);
    case 'saslInitialResponse':
      return decodeSASLInitialResponse(body);
    case 'saslResponse':
      return decodeSASLResponse(body);
    default:
      return { kind: 'unknown', type };
  }
}

/** The whole frame. Throws {@link WireError} `WIRE_VALUE_OUT_OF_RANGE`. */
export function encodeFrontend(message: FrontendMessage): Buffer {
  switch (message.kind) {
    case 'bind':
      return encodeBind(message);
    case 'close':
      return encodeClose(message);
    case 'copyData':
      return encodeCopyData(message);
    case 'copyDone':
      return encodeCopyDone();
    case 'copyFail':
      return encodeCopyFail(message);
    case 'describe':
      return encodeDescribe(message);
    case 'execute':
      return encodeExecute(message);
    case 'flush':
      return encodeFlush();
    case 'functionCall':
      return encodeFunctionCall(message);
    case 'parse':
      return encodeParse(message);
    case 'query':
      return encodeQuery(message);
    case 'sync':
      return encodeSync();
    case 'terminate':
      return encodeTerminate();
    case 'passwordMessage':
      return encodePasswordMessage(message);
    case 'saslInitialResponse':
      return encodeSASLInitialResponse(message);
    case 'saslResponse':
      return encodeSASLResponse(message);
  }
}
