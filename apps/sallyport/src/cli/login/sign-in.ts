import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { CliError, EXIT, wrongUse } from '../exit.js';
import { type Io, printable } from '../io.js';
import type { StoredLogin } from './token-store.js';

export interface SignInOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** More for the authorization request. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly device: boolean;
  readonly browser: boolean;
}

/** Somebody has to find the page, a password and a second factor. */
const SIGN_IN_TIMEOUT_MS = 10 * 60_000;
const ISSUER_TIMEOUT_SECONDS = 15;

/**
 * Authorization code with PKCE on a loopback address (RFC 7636, RFC 8252), or the device flow (RFC 8628). @throws CliError
 */
export async function signIn(options: SignInOptions, io: Io): Promise<StoredLogin> {
  const configuration = await discover(options.issuer, options.clientId);
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(SIGN_IN_TIMEOUT_MS)]);
  try {
    const tokens = options.device
      ? await byDevice(configuration, options, signal, io)
      : await byBrowser(configuration, options, signal, io);
    return toLogin(tokens, options.issuer, options.clientId);
  } catch (error) {
    throw signInFailed(error, signal, io);
  }
}

/** With the refresh token. @throws CliError when the provider doesn't take it any more */
export async function renew(login: StoredLogin, io: Io): Promise<StoredLogin> {
  const configuration = await discover(login.issuer, login.clientId);
  try {
    const tokens = await oidc.refreshTokenGrant(configuration, login.refreshToken ?? '');
    const renewed = toLogin(tokens, login.issuer, login.clientId);
    // A provider that doesn't rotate it lets the old one stand (RFC 6749, section 6).
    return renewed.refreshToken === undefined && login.refreshToken !== undefined
      ? { ...renewed, refreshToken: login.refreshToken }
      : renewed;
  } catch (error) {
    throw signInFailed(error, io.signal, io);
  }
}

async function discover(issuer: string, clientId: string): Promise<oidc.Configuration> {
  if (!URL.canParse(issuer)) throw wrongUse(`${issuer} is not the URL of an issuer`);
  const url = new URL(issuer);
  const isLoopback = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) throw wrongUse(`the issuer ${issuer} must be https`);
  try {
    return await oidc.discovery(url, clientId, undefined, oidc.None(), {
      timeout: ISSUER_TIMEOUT_SECONDS,
      execute: url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    });
  } catch (cause) {
    throw new CliError(EXIT.unreachable, `can't reach the issuer ${issuer}, or it is none`, {
      cause,
      hint: `${issuer}/.well-known/openid-configuration has to answer.`,
    });
  }
}

async function byDevice(
  configuration: oidc.Configuration,
  { scope, parameters }: SignInOptions,
  signal: AbortSignal,
  io: Io,
): Promise<oidc.TokenEndpointResponse> {
  const device = await oidc.initiateDeviceAuthorization(configuration, { scope, ...parameters });
  io.err(
    `Open   ${printable(device.verification_uri)}\nEnter  ${printable(device.user_code)}\n${device.verification_uri_complete === undefined ? '' : `or open ${printable(device.verification_uri_complete)}\n`}Waiting …\n`,
  );
  return oidc.pollDeviceAuthorizationGrant(configuration, device, undefined, { signal });
}

async function byBrowser(
  configuration: oidc.Configuration,
  { scope, parameters, browser }: SignInOptions,
  signal: AbortSignal,
  io: Io,
): Promise<oidc.TokenEndpointResponse> {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const callback = await Callback.listen(state, signal);
  try {
    const url = oidc.buildAuthorizationUrl(configuration, {
      scope,
      ...parameters,
      redirect_uri: callback.redirectUri,
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    io.err(`Sign in here:\n${url.href}\nWaiting …\n`);
    if (browser) openBrowser(url.href);
    return await oidc.authorizationCodeGrant(configuration, await callback.arrived, { pkceCodeVerifier: verifier, expectedState: state });
  } finally {
    callback.close();
  }
}

/** The address that the provider sends the browser back to. */
class Callback {
  private constructor(
    private readonly server: Server,
    readonly redirectUri: string,
    readonly arrived: Promise<URL>,
  ) {}

  static async listen(state: string, signal: AbortSignal): Promise<Callback> {
    const server = createServer();
    server.maxConnections = 16;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    const arrived = new Promise<URL>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      server.on('request', (request, response) => {
        const url = new URL(request.url ?? '/', base);
        const isOurs = url.pathname === '/callback' && url.searchParams.get('state') === state;
        response.writeHead(isOurs ? 200 : 404, {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'",
          connection: 'close',
        });
        response.end(isOurs ? '<!doctype html><title>Sallyport</title><p>Done. Go back to the terminal.</p>' : 'There is nothing here.');
        if (isOurs) resolve(url);
      });
    });
    // Until somebody waits for it.
    arrived.catch(() => undefined);
    return new Callback(server, `${base}/callback`, arrived);
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function openBrowser(url: string): void {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  // The address is on the screen: where there is no browser, it is opened elsewhere.
  spawn(command, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

function toLogin(tokens: oidc.TokenEndpointResponse, issuer: string, clientId: string): StoredLogin {
  let claims: ReturnType<typeof decodeJwt>;
  try {
    claims = decodeJwt(tokens.access_token);
  } catch (cause) {
    throw new CliError(EXIT.found, 'the provider gave an access token that only it can read', {
      cause,
      hint: 'Sallyport needs a JWT: most providers give one for an audience, as in --param audience=sallyport.',
    });
  }
  const expiresAtMs = claims.exp === undefined ? Date.now() + (tokens.expires_in ?? 0) * 1000 : claims.exp * 1000;
  return {
    issuer,
    clientId,
    subject: claims.sub ?? 'somebody',
    accessToken: tokens.access_token,
    expiresAtMs,
    ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
  };
}

function signInFailed(error: unknown, signal: AbortSignal, io: Io): unknown {
  if (error instanceof CliError || io.signal.aborted) return error;
  if (signal.aborted) return new CliError(EXIT.found, 'nobody signed in within ten minutes', { cause: error });
  const { error: code, error_description: detail, message } = error as { error?: string; error_description?: string; message?: string };
  return new CliError(EXIT.found, `the sign-in failed: ${printable(detail ?? code ?? message ?? 'unknown')}`, { cause: error });
}
