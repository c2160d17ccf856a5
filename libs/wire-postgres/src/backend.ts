import { type BackendKeyData, decodeBackendKeyData, encodeBackendKeyData } from './messages/backend-key-data.js';
import { type BindComplete, decodeBindComplete, encodeBindComplete } from './messages/bind-complete.js';
import { type CloseComplete, decodeCloseComplete, encodeCloseComplete } from './messages/close-complete.js';
import { type CommandComplete, decodeCommandComplete, encodeCommandComplete } from './messages/command-complete.js';
import { type CopyBothResponse, decodeCopyBothResponse, encodeCopyBothResponse } from './messages/copy-both-response.js';
import { type CopyData, decodeCopyData, encodeCopyData } from './messages/copy-data.js';
import { type CopyDone, decodeCopyDone, encodeCopyDone } from './messages/copy-done.js';
import { type CopyInResponse, decodeCopyInResponse, encodeCopyInResponse } from './messages/copy-in-response.js';
import { type CopyOutResponse, decodeCopyOutResponse, encodeCopyOutResponse } from './messages/copy-out-response.js';
import { type DataRow, decodeDataRow, encodeDataRow } from './messages/data-row.js';
import { type EmptyQueryResponse, decodeEmptyQueryResponse, encodeEmptyQueryResponse } from './messages/empty-query-response.js';
import { type ErrorResponse, decodeErrorResponse, encodeErrorResponse } from './messages/error-response.js';
import { type FunctionCallResponse, decodeFunctionCallResponse, encodeFunctionCallResponse } from './messages/function-call-response.js';
import {
  type NegotiateProtocolVersion,
  decodeNegotiateProtocolVersion,
  encodeNegotiateProtocolVersion,
} from './messages/negotiate-protocol-version.js';
import { type NoData, decodeNoData, encodeNoData } from './messages/no-data.js';
import { type NoticeResponse, decodeNoticeResponse, encodeNoticeResponse } from './messages/notice-response.js';
import { type NotificationResponse, decodeNotificationResponse, encodeNotificationResponse } from './messages/notification-response.js';
import { type ParameterDescription, decodeParameterDescription, encodeParameterDescription } from './messages/parameter-description.js';
import { type ParameterStatus, decodeParameterStatus, encodeParameterStatus } from './messages/parameter-status.js';
import { type ParseComplete, decodeParseComplete, encodeParseComplete } from './messages/parse-complete.js';
import { type PortalSuspended, decodePortalSuspended, encodePortalSuspended } from './messages/portal-suspended.js';
import { type ReadyForQuery, decodeReadyForQuery, encodeReadyForQuery } from './messages/ready-for-query.js';
import { type RowDescription, decodeRowDescription, encodeRowDescription } from './messages/row-description.js';
import { encodeAuthenticationCleartextPassword } from './messages/authentication-cleartext-password.js';
import { encodeAuthenticationMD5Password } from './messages/authentication-md5-password.js';
import { encodeAuthenticationOk } from './messages/authentication-ok.js';
import { encodeAuthenticationOther } from './messages/authentication-other.js';
import { encodeAuthenticationSASL } from './messages/authentication-sasl.js';
import { encodeAuthenticationSASLContinue } from './messages/authentication-sasl-continue.js';
import { encodeAuthenticationSASLFinal } from './messages/authentication-sasl-final.js';
import { type Authentication, decodeAuthentication } from './messages/authentication.js';
import { BackendType } from './message-types.js';
import type { UnknownMessage } from './unknown-message.js';

/** What a server says after its answer to SSLRequest. */
export type BackendMessage =
  | Authentication
  | BackendKeyData
  | BindComplete
  | CloseComplete
  | CommandComplete
  | CopyBothResponse
  | CopyData
  | CopyDone
  | CopyInResponse
  | CopyOutResponse
  | DataRow
  | EmptyQueryResponse
  | ErrorResponse
  | FunctionCallResponse
  | NegotiateProtocolVersion
  | NoData
  | NoticeResponse
  | NotificationResponse
  | ParameterDescription
  | ParameterStatus
  | ParseComplete
  | PortalSuspended
  | ReadyForQuery
  | RowDescription;

/**
 * Decodes one frame's body. Fields of bytes are views of it.
 *
 * Throws {@link WireError} `WIRE_MESSAGE_MALFORMED`.
 */
export function decodeBackend(type: number, body: Buffer): BackendMessage | UnknownMessage {
  switch (type) {
    case BackendType.authentication:
      return decodeAuthentication(body);
    case BackendType.backendKeyData:
      return decodeBackendKeyData(body);
    case BackendType.bindComplete:
      return decodeBindComplete(body);
    case BackendType.closeComplete:
      return decodeCloseComplete(body);
    case BackendType.commandComplete:
      return decodeCommandComplete(body);
    case BackendType.copyBothResponse:
      return decodeCopyBothResponse(body);
    case BackendType.copyData:
      return decodeCopyData(body);
    case BackendType.copyDone:
      return decodeCopyDone(body);
    case BackendType.copyInResponse:
      return decodeCopyInResponse(body);
    case BackendType.copyOutResponse:
      return decodeCopyOutResponse(body);
    case BackendType.dataRow:
      return decodeDataRow(body);
    case BackendType.emptyQueryResponse:
      return decodeEmptyQueryResponse(body);
    case BackendType.errorResponse:
      return decodeErrorResponse(body);
    case BackendType.functionCallResponse:
      return decodeFunctionCallResponse(body);
    case BackendType.negotiateProtocolVersion:
      return decodeNegotiateProtocolVersion(body);
    case BackendType.noData:
      return decodeNoData(body);
    case BackendType.noticeResponse:
      return decodeNoticeResponse(body);
    case BackendType.notificationResponse:
      return decodeNotificationResponse(body);
    case BackendType.parameterDescription:
      return decodeParameterDescription(body);
    case BackendType.parameterStatus:
      return decodeParameterStatus(body);
    case BackendType.parseComplete:
      return decodeParseComplete(body);
    case BackendType.portalSuspended:
      return decodePortalSuspended(body);
    case BackendType.readyForQuery:
      return decodeReadyForQuery(body);
    case BackendType.rowDescription:
      return decodeRowDescription(body);
    default:
      return { kind: 'unknown', type };
  }
}

/** The whole frame. Throws {@link WireError} `WIRE_VALUE_OUT_OF_RANGE`. */
export function encodeBackend(message: BackendMessage): Buffer {
  switch (message.kind) {
    case 'authenticationOk':
      return encodeAuthenticationOk();
    case 'authenticationCleartextPassword':
      return encodeAuthenticationCleartextPassword();
    case 'authenticationMd5Password':
      return encodeAuthenticationMD5Password(message);
    case 'authenticationSasl':
      return encodeAuthenticationSASL(message);
    case 'authenticationSaslContinue':
      return encodeAuthenticationSASLContinue(message);
    case 'authenticationSaslFinal':
      return encodeAuthenticationSASLFinal(message);
    case 'authenticationOther':
      return encodeAuthenticationOther(message);
    case 'backendKeyData':
      return encodeBackendKeyData(message);
    case 'bindComplete':
      return encodeBindComplete();
    case 'closeComplete':
      return encodeCloseComplete();
    case 'commandComplete':
      return encodeCommandComplete(message);
    case 'copyBothResponse':
      return encodeCopyBothResponse(message);
    case 'copyData':
      return encodeCopyData(message);
    case 'copyDone':
      return encodeCopyDone();
    case 'copyInResponse':
      return encodeCopyInResponse(message);
    case 'copyOutResponse':
      return encodeCopyOutResponse(message);
    case 'dataRow':
      return encodeDataRow(message);
    case 'emptyQueryResponse':
      return encodeEmptyQueryResponse();
    case 'errorResponse':
      return encodeErrorResponse(message);
    case 'functionCallResponse':
      return encodeFunctionCallResponse(message);
    case 'negotiateProtocolVersion':
      return encodeNegotiateProtocolVersion(message);
    case 'noData':
      return encodeNoData();
    case 'noticeResponse':
      return encodeNoticeResponse(message);
    case 'notificationResponse':
      return encodeNotificationResponse(message);
    case 'parameterDescription':
      return encodeParameterDescription(message);
    case 'parameterStatus':
      return encodeParameterStatus(message);
    case 'parseComplete':
      return encodeParseComplete();
    case 'portalSuspended':
      return encodePortalSuspended();
    case 'readyForQuery':
      return encodeReadyForQuery(message);
    case 'rowDescription':
      return encodeRowDescription(message);
  }
}
