import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { base as interactionPolicy } from 'oidc-provider/lib/helpers/interaction_policy/index.js';
// The package's front door prints a notice about the Node version; what is behind it runs on ours (its specs here say so).
import { Provider, type ResourceServerInfo, type Token } from 'oidc-provider/lib/provider.js';
import { page, PAGE_HEADERS, text } from './pages.js';
import { type DevPrincipal, extraClaims, type TokenOverrides } from './principals.js';

/** The public client of `sallyport login`: authorization code with PKCE (RFC 7636, 8252), or the device flow (RFC 8628). */
export const DEV_CLIENT_ID = 'sallyport-cli';

/** The resource indicator (RFC 8707) that stands for the edge; a URI, unlike the audience. */
export const DEV_RESOURCE = 'urn:sallyport:edge';

const SIGNING_ALGORITHM = 'ES256';
const LOGIN_TTL_SECONDS = 10 * 60;

export interface ProviderSetup {
  readonly issuer: string;
  readonly audience: string;
  readonly accessTokenTtlMs: number;
  readonly principals: readonly DevPrincipal[];
  /** By client id. */
  readonly clientSecrets: ReadonlyMap<string, string>;
  /** Private keys; the first one signs. */
  readonly keys: readonly JWK[];
  readonly adapter: (model: string) => unknown;
  readonly overrides: WeakMap<Token, TokenOverrides>;
}

interface Context {
  body: string;
  set(headers: Readonly<Record<string, string>>): void;
  readonly oidc: {
    readonly provider: Provider;
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
  };
}

export function resourceServer(audience: string, ttlMs: number): ResourceServerInfo {
  return {
    scope: '',
    audience,
    accessTokenTTL: Math.max(1, Math.ceil(ttlMs / 1000)),
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: SIGNING_ALGORITHM } },
  };
}

export function createProvider(setup: ProviderSetup): Provider {
  const { principals, audience, accessTokenTtlMs, overrides } = setup;
  const bySubject = new Map(principals.map((principal) => [principal.subject, principal]));
  const policy = interactionPolicy();
  // One click: who signs in here agrees.
  policy.remove('consent');
  const accessTokenSeconds = resourceServer(audience, accessTokenTtlMs).accessTokenTTL;

  const provider = new Provider(setup.issuer, {
    adapter: setup.adapter,
    jwks: { keys: setup.keys },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
    clients: clients(setup),
    scopes: ['openid'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    interactions: { url: (_: Context, interaction: { uid: string }) => `/interaction/${interaction.uid}`, policy },
    async findAccount(_: Context, subject: string) {
      const principal = bySubject.get(subject);
      return principal?.kind === 'person' ? { accountId: subject, claims: async () => ({ sub: subject }) } : undefined;
    },
    loadExistingGrant: grantEverything,
    async extraTokenClaims(_: Context, token: Token) {
      const principal = bySubject.get(token.accountId ?? token.clientId);
      return principal && extraClaims(principal, overrides.get(token));
    },
    renderError: async (ctx: Context, out: { error: string; error_description?: string }) =>
      render(ctx, 'That did not work', `<p>${text(out.error_description ?? out.error)}</p>`),
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      DeviceCode: LOGIN_TTL_SECONDS,
      Interaction: LOGIN_TTL_SECONDS,
      IdToken: LOGIN_TTL_SECONDS,
      Grant: accessTokenSeconds + LOGIN_TTL_SECONDS,
      Session: accessTokenSeconds,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: async (ctx: Context, form: string, _out: unknown, error?: unknown) =>
          render(
            ctx,
            'Enter the code',
            `${error ? '<p>That is not a code we know.</p>' : ''}${form}<button form="op.deviceInputForm">Continue</button>`,
          ),
        userCodeConfirmSource: async (ctx: Context, form: string, _client: unknown, _device: unknown, code: string) =>
          render(
            ctx,
            'Is this your code?',
            `<p><strong>${text(code)}</strong></p>${form}<button form="op.deviceConfirmForm">Yes</button>
<button form="op.deviceConfirmForm" name="abort" value="yes">No</button>`,
          ),
        successSource: async (ctx: Context) => render(ctx, 'Signed in', '<p>Go back to the terminal.</p>'),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => DEV_RESOURCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => resourceServer(audience, accessTokenTtlMs),
      },
    },
  });
  provider.silent = true;
  return provider;
}

/** A workload is a confidential client whose id is its subject, so its tokens have `sub` = `client_id` (RFC 9068 section 5). */
function clients({ principals, clientSecrets }: ProviderSetup): object[] {
  const workloads = principals
    .filter(({ kind }) => kind === 'workload')
    .map(({ subject }) => ({
      client_id: subject,
      client_secret: clientSecrets.get(subject),
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    }));
  const login = {
    client_id: DEV_CLIENT_ID,
    client_name: 'sallyport login',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    // Any port: RFC 8252 section 7.3.
    redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
  };
  return [...workloads, login];
}

async function grantEverything({ oidc }: Context): Promise<unknown> {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope('openid');
  grant.addResourceScope(DEV_RESOURCE, '');
  await grant.save();
  return grant;
}

function render(ctx: Context, title: string, body: string): void {
  ctx.set(PAGE_HEADERS);
  ctx.body = page(title, body);
}
