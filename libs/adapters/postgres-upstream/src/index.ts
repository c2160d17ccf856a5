export { cancelUpstream, type UpstreamCancel } from './cancel.js';
export { connectUpstream, DEFAULT_MAX_HANDSHAKE_BYTES, type Upstream, type UpstreamLimits, type UpstreamLogin } from './connect.js';
export { UpstreamError, type UpstreamErrorCode } from './errors.js';
export { MAX_SCRAM_ITERATIONS } from './scram.js';
export type { BackendKey, SignedIn, UpstreamAuthentication, UpstreamProtocol } from './sign-in.js';
export type { SocketPath, TcpAddress, TlsMode, TlsSettings, UpstreamTarget } from './target.js';
