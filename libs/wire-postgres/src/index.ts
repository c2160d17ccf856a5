export { MAX_CANCEL_KEY_BYTES, MIN_CANCEL_KEY_BYTES } from './cancel-key.js';
export { type BackendMessage, decodeBackend, encodeBackend } from './backend.js';
export { error, errorResponse, type ErrorText, fatal, type Severity } from './errors.js';
export { FRAME_HEADER_BYTES, frameHeader } from './frame-header.js';
export { FrameScanner, type FrameScannerLimits, type FrameStream, type OnFrame } from './framing.js';
export { type Awaiting, decodeFrontend, encodeFrontend, type FrontendMessage } from './frontend.js';
export { AuthenticationMethod, BackendType, FrontendType } from './message-types.js';
export { fromVersionNumber, type ProtocolVersion, toVersionNumber } from './protocol-version.js';
export {
  decodeOAuthBearerInitialResponse,
  encodeOAuthBearerFailure,
  encodeOAuthBearerInitialResponse,
  isOAuthBearerAbort,
  MAX_OAUTHBEARER_BYTES,
  OAUTHBEARER,
  type OAuthBearerFailure,
  type OAuthBearerInitialResponse,
} from './sasl-oauthbearer.js';
export {
  type CancelRequest,
  decodeStartupPacket,
  encodeStartupPacket,
  type GSSENCRequest,
  isDirectTls,
  MAX_STARTUP_PACKET_BYTES,
  NEGOTIATION_ACCEPTED,
  NEGOTIATION_REFUSED,
  type SSLRequest,
  type StartupMessage,
  type StartupPacket,
  StartupScanner,
  TLS_FIRST_BYTE,
} from './startup.js';
export { decodeText } from './text.js';
export type { UnknownMessage } from './unknown-message.js';
export { WireError, type WireErrorCode } from './wire-error.js';

export { type Authentication, decodeAuthentication } from './messages/authentication.js';
export { type ErrorFields, errorFieldsByLetter, errorFieldsFromLetters } from './messages/error-fields.js';
export type { Target } from './messages/target.js';
export type { TransactionStatus } from './messages/ready-for-query.js';
export type { ColumnDescription } from './messages/row-description.js';
export { type BackendKeyData, decodeBackendKeyData, encodeBackendKeyData } from './messages/backend-key-data.js';
export { type Bind, decodeBind, encodeBind } from './messages/bind.js';
export { type BindComplete, decodeBindComplete, encodeBindComplete } from './messages/bind-complete.js';
export { type Close, decodeClose, encodeClose } from './messages/close.js';
export { type CloseComplete, decodeCloseComplete, encodeCloseComplete } from './messages/close-complete.js';
export { type CommandComplete, decodeCommandComplete, encodeCommandComplete } from './messages/command-complete.js';
export { type CopyBothResponse, decodeCopyBothResponse, encodeCopyBothResponse } from './messages/copy-both-response.js';
export { type CopyData, decodeCopyData, encodeCopyData } from './messages/copy-data.js';
export { type CopyDone, decodeCopyDone, encodeCopyDone } from './messages/copy-done.js';
export { type CopyFail, decodeCopyFail, encodeCopyFail } from './messages/copy-fail.js';
export { type CopyInResponse, decodeCopyInResponse, encodeCopyInResponse } from './messages/copy-in-response.js';
export { type CopyOutResponse, decodeCopyOutResponse, encodeCopyOutResponse } from './messages/copy-out-response.js';
export { type DataRow, decodeDataRow, encodeDataRow } from './messages/data-row.js';
export { type Describe, decodeDescribe, encodeDescribe } from './messages/describe.js';
export { type EmptyQueryResponse, decodeEmptyQueryResponse, encodeEmptyQueryResponse } from './messages/empty-query-response.js';
export { type ErrorResponse, decodeErrorResponse, encodeErrorResponse } from './messages/error-response.js';
export { type Execute, decodeExecute, encodeExecute } from './messages/execute.js';
export { type Flush, decodeFlush, encodeFlush } from './messages/flush.js';
export { type FunctionCall, decodeFunctionCall, encodeFunctionCall } from './messages/function-call.js';
export { type FunctionCallResponse, decodeFunctionCallResponse, encodeFunctionCallResponse } from './messages/function-call-response.js';
export {
  type NegotiateProtocolVersion,
  decodeNegotiateProtocolVersion,
  encodeNegotiateProtocolVersion,
} from './messages/negotiate-protocol-version.js';
export { type NoData, decodeNoData, encodeNoData } from './messages/no-data.js';
export { type NoticeResponse, decodeNoticeResponse, encodeNoticeResponse } from './messages/notice-response.js';
export { type NotificationResponse, decodeNotificationResponse, encodeNotificationResponse } from './messages/notification-response.js';
export { type ParameterDescription, decodeParameterDescription, encodeParameterDescription } from './messages/parameter-description.js';
export { type ParameterStatus, decodeParameterStatus, encodeParameterStatus } from './messages/parameter-status.js';
export { type Parse, decodeParse, encodeParse } from './messages/parse.js';
export { type ParseComplete, decodeParseComplete, encodeParseComplete } from './messages/parse-complete.js';
export { type PasswordMessage, decodePasswordMessage, encodePasswordMessage } from './messages/password-message.js';
export { type PortalSuspended, decodePortalSuspended, encodePortalSuspended } from './messages/portal-suspended.js';
export { type Query, decodeQuery, encodeQuery } from './messages/query.js';
export { type ReadyForQuery, decodeReadyForQuery, encodeReadyForQuery } from './messages/ready-for-query.js';
export { type RowDescription, decodeRowDescription, encodeRowDescription } from './messages/row-description.js';
export { type SASLInitialResponse, decodeSASLInitialResponse, encodeSASLInitialResponse } from './messages/sasl-initial-response.js';
export { type SASLResponse, decodeSASLResponse, encodeSASLResponse } from './messages/sasl-response.js';
export { type Sync, decodeSync, encodeSync } from './messages/sync.js';
export { type Terminate, decodeTerminate, encodeTerminate } from './messages/terminate.js';
export {
  type AuthenticationCleartextPassword,
  encodeAuthenticationCleartextPassword,
} from './messages/authentication-cleartext-password.js';
export { type AuthenticationMD5Password, encodeAuthenticationMD5Password } from './messages/authentication-md5-password.js';
export { type AuthenticationOk, encodeAuthenticationOk } from './messages/authentication-ok.js';
export { type AuthenticationOther, encodeAuthenticationOther } from './messages/authentication-other.js';
export { type AuthenticationSASL, encodeAuthenticationSASL } from './messages/authentication-sasl.js';
export { type AuthenticationSASLContinue, encodeAuthenticationSASLContinue } from './messages/authentication-sasl-continue.js';
export { type AuthenticationSASLFinal, encodeAuthenticationSASLFinal } from './messages/authentication-sasl-final.js';
