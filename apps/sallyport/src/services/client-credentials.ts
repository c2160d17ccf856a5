import { allowInsecureRequests, ClientSecretBasic, clientCredentialsGrant, Configuration } from 'openid-client';

export interface ClientCredentials {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
}

/** A token is used until so long before its end. */
const MARGIN_MS = 30_000;

/** Access tokens by the client credentials grant (RFC 6749 section 4.4), each used until shortly before its end. */
export function clientCredentials(
  { tokenEndpoint, clientId, clientSecret, scope }: ClientCredentials,
  nowMs = Date.now,
): () => Promise<string> {
  const configuration = new Configuration(
    { issuer: new URL(tokenEndpoint).origin, token_endpoint: tokenEndpoint },
    clientId,
    {},
    ClientSecretBasic(clientSecret),
  );
  // Only on loopback: the configuration refuses it elsewhere.
  if (tokenEndpoint.startsWith('http://')) allowInsecureRequests(configuration);
  let known: { readonly token: string; readonly untilMs: number } | undefined;
  return async () => {
    if (known && nowMs() < known.untilMs) return known.token;
    const { access_token: token, expires_in: seconds = 0 } = await clientCredentialsGrant(
      configuration,
      scope === undefined ? {} : { scope },
    );
    known = { token, untilMs: nowMs() + seconds * 1000 - MARGIN_MS };
    return token;
  };
}
