/** Where something listens or is reached. */
export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface UnixAddress {
  readonly kind: 'unix';
  /** Of the socket itself. */
  readonly path: string;
}

export type Address = TcpAddress | UnixAddress;

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/** `host:port` or `[IPv6]:port`. */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const match = HOST_PORT.exec(text);
  const port = Number(match?.[3]);
  return match && port <= 65_535 ? { kind: 'tcp', host: match[1] ?? match[2] ?? '', port } : undefined;
}

/** A directory stands for PostgreSQL's default socket in it, as in libpq. */
export function parseUnixAddress(text: string): UnixAddress | undefined {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
  if (!path.startsWith('/')) return undefined;
  return { kind: 'unix', path: path.includes('/.s.PGSQL.') ? path : `${path.replace(/\/$/, '')}/.s.PGSQL.5432` };
}

/** Bytes to it never leave the machine: a loopback address or, by RFC 6761 section 6.3, the name localhost. */
export function isLoopback(host: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) || host === '::1' || host === '[::1]' || host.toLowerCase() === 'localhost';
}
