/**
 * How TLS is used, in libpq's words. `require` encrypts without knowing to whom; `verify-ca` knows who signed the certificate,
 * `verify-full` also for which host.
 */
export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface TlsSettings {
  readonly tls: TlsMode;
  /** `postgres`: SSLRequest first. `direct`: TLS from the first byte, PostgreSQL 17 or later. Default `postgres`. */
  readonly tlsNegotiation?: 'postgres' | 'direct';
  /** PEM. Default: the roots that Node brings. */
  readonly ca?: string | Buffer;
  /** The name to ask for and, with `verify-full`, to check. Default: the host. */
  readonly servername?: string;
}

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** A Unix-domain socket, such as `/run/postgresql/.s.PGSQL.5432`. */
export interface SocketPath {
  readonly path: string;
}

export type UpstreamTarget = (TcpAddress | SocketPath) & TlsSettings;

/**
 * Whether a password may be shown to whoever is at the other end. Signed by any of the public roots, for any host, proves
 * nothing, so `verify-ca` counts only with a `ca` of one's own.
 */
export function isVerified({ tls, ca }: TlsSettings): boolean {
  return tls === 'verify-full' || (tls === 'verify-ca' && ca !== undefined);
}
