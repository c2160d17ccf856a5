import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';
import type { Provider, Token } from 'oidc-provider/lib/provider.js';
import { DevIssuerError } from './errors.js';
import { serveInteraction } from './interactions.js';
import { checkLoopback, listen } from './listen.js';
import { page, PAGE_HEADERS } from './pages.js';
import type { DevPrincipal, TokenOverrides } from './principals.js';
import { createProvider, DEV_CLIENT_ID, DEV_RESOURCE, resourceServer } from './provider.js';

const MAX_CONNECTIONS = 200;

export interface DevIssuerOptions {
  /** A loopback address; default 127.0.0.1. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly principals: readonly DevPrincipal[];
  /** `aud` of the access tokens; default `sallyport`. */
  readonly audience?: string;
  /** Default one hour. */
  readonly accessTokenTtlMs?: number;
  /** Told of what goes wrong inside, for the log. */
  readonly onError?: (error: unknown) => void;
}

export interface DevIssuer {
  /** As in `iss`, and where discovery starts. */
  readonly issuer: string;
  readonly audience: string;
  /** For `sallyport login`. */
  readonly clientId: string;
  /** The token of a workload comes from the token endpoint by its own credentials; with `overrides`, and for persons, from the same machinery inside. */
  tokenFor(subject: string, overrides?: TokenOverrides): Promise<string>;
  /** A token for everybody, by subject. */
  tokens(): Promise<Record<string, string>>;
  /** With these a workload gets tokens itself (`client_secret_basic` at the token endpoint). */
  clientCredentials(subject: string): { readonly clientId: string; readonly clientSecret: string };
  /** Signs with a new key from now on. The old one stays published unless it is withdrawn. */
  rotateKeys(options?: { readonly withdraw?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/**
 * A real OpenID provider for development: discovery, keys made at start and kept in memory, client credentials for workloads,
 * authorization code with PKCE and the device flow for persons, who sign in with one click and no password. Hence loopback only.
 * Rejects with {@link DevIssuerError}.
 */
export async function startDevIssuer(options: DevIssuerOptions): Promise<DevIssuer> {
  const { address = '127.0.0.1', principals, audience = 'sallyport', accessTokenTtlMs = 3_600_000, onError } = options;
  checkLoopback(address);
  const bySubject = new Map(principals.map((principal) => [principal.subject, principal]));
  if (bySubject.size !== principals.length || bySubject.has(DEV_CLIENT_ID)) {
    throw new DevIssuerError('DEV_ISSUER_PRINCIPALS', `each principal needs a subject of its own, other than ${DEV_CLIENT_ID}`);
  }
  const persons = principals.filter(({ kind }) => kind === 'person');
  const workloads = principals.filter(({ kind }) => kind === 'workload');
  const clientSecrets = new Map(workloads.map(({ subject }) => [subject, randomBytes(32).toString('base64url')]));
  const overridden = new WeakMap<Token, TokenOverrides>();
  const adapter = createMemoryAdapter();

  let keys = [await newKey()];
  let provider: Provider;
  let callback: ReturnType<Provider['callback']>;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      onError?.(error);
      if (!response.headersSent) response.writeHead(400, PAGE_HEADERS);
      response.end(page('That did not work', '<p>This sign-in is over or was never begun. Start again from the terminal.</p>'));
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, address, options.port);
  const host = `${address === '::1' ? '[::1]' : address}:${port}`;
  const issuer = `http://${host}`;
  useKeys();

  /** Behind rotated keys stands a new provider with the old one's store: the library takes its keys once. */
  function useKeys(): void {
    provider = createProvider({
      issuer,
      audience,
      accessTokenTtlMs,
      principals,
      clientSecrets,
      keys,
      adapter,
      overrides: overridden,
    });
    provider.on('server_error', (_context: never, error: never) => onError?.(error));
    callback = provider.callback();
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page elsewhere whose name was made to resolve to loopback, or that posts here, is not the user.
    const origin = request.headers.origin;
    if (request.headers.host !== host || (request.method === 'POST' && origin !== undefined && origin !== issuer)) {
      response.writeHead(403, PAGE_HEADERS).end(page('Not here', ''));
      return;
    }
    if (!(await serveInteraction(provider, persons, request, response))) await callback(request, response);
  }

  async function fromTokenEndpoint(subject: string): Promise<string> {
    const basic = Buffer.from(`${encodeURIComponent(subject)}:${clientSecrets.get(subject)}`).toString('base64');
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    if (!token) throw new DevIssuerError('DEV_ISSUER_TOKEN', `no token for ${subject}: the token endpoint answered ${response.status}`);
    return token;
  }

  async function fromInside(principal: DevPrincipal, overrides: TokenOverrides): Promise<string> {
    const { subject, kind } = principal;
    const clientId = kind === 'workload' ? subject : DEV_CLIENT_ID;
    const client = await provider.Client.find(clientId);
    if (!client) throw new DevIssuerError('DEV_ISSUER_TOKEN', `no client ${clientId}`);
    const server = resourceServer(overrides.audience ?? audience, overrides.ttlMs ?? accessTokenTtlMs);
    const expiresIn = server.accessTokenTTL;
    let token: Token;
    if (kind === 'workload') {
      token = new provider.ClientCredentials({ client, expiresIn });
    } else {
      const grantId = await new provider.Grant({ accountId: subject, clientId }).save();
      token = new provider.AccessToken({ accountId: subject, client, grantId, gty: 'authorization_code', scope: '', expiresIn });
    }
    token.resourceServer = new provider.ResourceServer(DEV_RESOURCE, server);
    overridden.set(token, overrides);
    return token.save();
  }

  async function tokenFor(subject: string, overrides?: TokenOverrides): Promise<string> {
    const principal = bySubject.get(subject);
    if (!principal) throw new DevIssuerError('DEV_ISSUER_PRINCIPALS', `no principal ${subject}`);
    return principal.kind === 'workload' && !overrides ? fromTokenEndpoint(subject) : fromInside(principal, overrides ?? {});
  }

  return {
    issuer,
    audience,
    clientId: DEV_CLIENT_ID,
    tokenFor,
    async tokens() {
      const entries = principals.map(async ({ subject }) => [subject, await tokenFor(subject)] as const);
      return Object.fromEntries(await Promise.all(entries));
    },
    clientCredentials(subject) {
      const clientSecret = clientSecrets.get(subject);
      if (clientSecret === undefined) throw new DevIssuerError('DEV_ISSUER_PRINCIPALS', `no workload ${subject}`);
      return { clientId: subject, clientSecret };
    },
    async rotateKeys({ withdraw = false } = {}) {
      const fresh = await newKey();
      keys = withdraw ? [fresh] : [fresh, ...keys.slice(0, 4)];
      useKeys();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
}
