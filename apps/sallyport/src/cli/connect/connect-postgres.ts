import { userToken } from '../credentials.js';
import { CliError, EXIT, wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { cliSettings, type CliSettings, type GlobalOptions } from '../settings.js';
import { readSmall } from '../verify/keys.js';
import type { EdgeAddress } from './edge-connection.js';
import { openLocalPort } from './local-port.js';

export interface ConnectPostgresOptions extends GlobalOptions {
  readonly port?: number;
  readonly edge?: string;
  readonly tls: boolean;
  readonly ca?: string;
}

/** Opens the port, prints how to use it, and stays until it is told to end. */
export async function connectPostgres(resource: string, options: ConnectPostgresOptions, io: Io): Promise<void> {
  if (!/^[^\s'\\/]+(\/[^\s'\\]+)?$/.test(resource))
    throw wrongUse(`${resource} is no resource`, 'Name one as in the configuration: shop, or shop/database.');
  const settings = cliSettings(options, io);
  const edge = edgeAddress(options, settings, io);
  requireToken(options, io);
  // Also tells whether anything is there before a client does.
  const token = (): string => requireToken(options, io);
  let local: Awaited<ReturnType<typeof openLocalPort>>;
  try {
    local = await openLocalPort({ edge, database: resource, token, port: options.port ?? 0, say: (line) => io.err(`${line}\n`) });
  } catch (error) {
    throw new CliError(EXIT.usage, `can't listen on port ${options.port ?? 0} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      cause: error,
      hint: 'Choose another with --port.',
    });
  }
  io.out(`psql "host=127.0.0.1 port=${local.port} dbname=${resource} user=${io.env['USER'] ?? 'me'} sslmode=disable"\n`);
  io.err(`Signed in as whoever the token says, through the edge at ${edge.host}:${edge.port}. Ctrl-C ends it.\n`);
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    io.signal.addEventListener('abort', () => resolve());
  });
  await local.close();
}

function requireToken(options: GlobalOptions, io: Io): string {
  const credential = userToken(options, io);
  if (credential === undefined)
    throw new CliError(EXIT.usage, 'you are not signed in', {
      hint: 'Sign in with `sallyport login`, or give a token with --token or $SALLYPORT_TOKEN.',
    });
  return credential.token;
}

function edgeAddress(options: ConnectPostgresOptions, { config, run }: CliSettings, io: Io): EdgeAddress {
  const { address, tls } = config.listen.postgres;
  const given =
    options.edge ?? run?.listeners['postgres'] ?? `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(given);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535 || port < 1) throw wrongUse(`${given} is no address of an edge`, 'Write it as host:port.');
  const isLocal = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);
  const wantsTls = options.tls || options.ca !== undefined || !isLocal || (options.edge === undefined && tls !== undefined);
  return { host, port, tls: wantsTls ? { ca: options.ca === undefined ? undefined : readSmall(options.ca, io) } : undefined };
}
