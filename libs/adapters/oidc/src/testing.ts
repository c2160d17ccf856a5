/** For specs: a real issuer's face (discovery and key set over HTTP on loopback) whose keys and manners a spec decides. */
import { constants, createHmac, KeyObject, sign as cryptoSign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';

export interface TestKey {
  readonly keyId: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function testKey(keyId: string, algorithm = 'ES256'): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return { keyId, algorithm, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm, use: 'sig' } };
}

export interface TestIssuer {
  readonly issuer: string;
  /** Published; changes show at the next fetch. */
  keys: JWK[];
  /** Replaces parts of the discovery document. */
  discovery: Record<string, unknown>;
  /** Replaces the whole answer to a request for the keys. */
  rawKeys: string | undefined;
  status: number;
  /** While true, requests are accepted and never answered. */
  isSilent: boolean;
  discoveryFetches: number;
  keyFetches: number;
  close(): Promise<void>;
}

export async function startTestIssuer(keys: readonly TestKey[]): Promise<TestIssuer> {
  const server = createServer((request, response) => {
    const isElsewhere = request.url === '/elsewhere';
    const isKeys = request.url === '/keys' || isElsewhere;
    if (isKeys) state.keyFetches++;
    else state.discoveryFetches++;
    if (state.isSilent) return;
    response.statusCode = isElsewhere ? 200 : state.status;
    if (state.status >= 300 && state.status < 400) response.setHeader('location', `${state.issuer}/elsewhere`);
    response.setHeader('content-type', 'application/json');
    if (isKeys) response.end(state.rawKeys ?? JSON.stringify({ keys: state.keys }));
    else response.end(JSON.stringify({ issuer: state.issuer, jwks_uri: `${state.issuer}/keys`, ...state.discovery }));
  });
  const port = await listenOnLoopback(server);
  const state: TestIssuer = {
    issuer: `http://127.0.0.1:${port}`,
    keys: keys.map((key) => key.publicJwk),
    discovery: {},
    rawKeys: undefined,
    status: 200,
    isSilent: false,
    discoveryFetches: 0,
    keyFetches: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return state;
}

/** Below the range that outgoing connections take their ports from. */
async function listenOnLoopback(server: Server): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if (attempt === 50) throw error;
    }
  }
}

/**
 * A compact JWS made by hand, so that it can be as wrong as a spec likes: `claims` may be raw JSON text, members set to undefined are left
 * out, and `secret` signs with HMAC.
 */
export function sign(
  key: TestKey,
  claims: Record<string, unknown> | string,
  header: Record<string, unknown> = {},
  secret?: string | Buffer,
): string {
  const head = JSON.stringify({ alg: key.algorithm, kid: key.keyId, typ: 'at+jwt', ...header });
  const body = typeof claims === 'string' ? claims : JSON.stringify(claims);
  const input = `${Buffer.from(head).toString('base64url')}.${Buffer.from(body).toString('base64url')}`;
  return `${input}.${(secret === undefined ? signature(key, input) : createHmac('sha256', secret).update(input).digest()).toString('base64url')}`;
}

function signature(key: TestKey, input: string): Buffer {
  const privateKey = KeyObject.from(key.privateKey);
  const bytes = Buffer.from(input);
  switch (key.algorithm) {
    case 'ES256':
      return cryptoSign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'ES384':
      return cryptoSign('sha384', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'PS256':
      return cryptoSign('sha256', bytes, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'RS256':
      return cryptoSign('sha256', bytes, privateKey);
    default:
      return cryptoSign(null, bytes, privateKey);
  }
}
