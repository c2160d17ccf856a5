import { z } from 'zod';
import { duration, name, oneOf, tcpAddress, text, url } from './fields.js';
import { limitsSchema } from './limits.js';
import { resourceSchema } from './schema-resources.js';
import { secret } from './secrets.js';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const;

const file = (what: string) => text(`the path of ${what}`);

const listener = (example: string) =>
  z.strictObject({
    address: tcpAddress(example),
    tls: z
      .strictObject({ cert: file('a certificate chain (PEM)'), key: file('its private key (PEM)') })
      .exactOptional()
      .describe('Needed wherever the address is not a loopback one.'),
  });

const listen = () =>
  z
    .strictObject({
      postgres: listener('127.0.0.1:6432').prefault({ address: '127.0.0.1:6432' }),
      ssh: z.strictObject({ address: tcpAddress('127.0.0.1:2222') }).exactOptional(),
      http: listener('127.0.0.1:8443').exactOptional(),
      console: listener('127.0.0.1:8700').prefault({ address: '127.0.0.1:8700' }),
      metrics: listener('127.0.0.1:9464').prefault({ address: '127.0.0.1:9464' }),
    })
    .prefault({});

const oidc = () =>
  z
    .strictObject({
      issuer: url('https', 'http'),
      audience: text('the audience that the tokens must name'),
      groups: text('the name of a claim, or a dotted path').prefault('groups'),
      kind: z
        .strictObject({
          claim: text('the name of a claim, or a dotted path'),
          workload: z.array(text()).prefault([]),
          person: z.array(text()).prefault([]),
        })
        .exactOptional()
        .describe(
          'Which claim tells a person from a workload; a token with none of the values is refused. Default: a claim sallyport_kind; else a workload when client_id or azp equals sub, gty is client-credentials or idtyp is app; else a person.',
        ),
      algorithms: z
        .array(z.enum(ALGORITHMS, { error: `expected one of ${ALGORITHMS.join(', ')}` }))
        .min(1, { error: 'expected at least one algorithm' })
        .prefault(['RS256', 'PS256', 'ES256', 'EdDSA']),
      clockTolerance: duration(0).prefault('5s'),
      jwksUri: url('https', 'http').exactOptional(),
    })
    .transform(({ clockTolerance, ...rest }) => ({ ...rest, clockToleranceMs: clockTolerance }));

const provider = () =>
  z
    .strictObject({
      name: name(),
      oidc: oidc().exactOptional(),
      saml: z.strictObject({ metadata: file('the metadata of the identity provider'), groups: text().prefault('groups') }).exactOptional(),
    })
    .transform(({ name, oidc, saml }, context) => {
      if (oidc && !saml) return { name, kind: 'oidc' as const, oidc };
      if (saml && !oidc) return { name, kind: 'saml' as const, saml };
      context.addIssue({ code: 'custom', message: 'expected exactly one of oidc, saml' });
      return z.NEVER;
    });

const actor = () => z.strictObject({ subject: text('a subject'), issuer: text().exactOptional() });

const dev = () =>
  z
    .strictObject({
      port: z.int().min(1).max(65_535).exactOptional(),
      tokenTtl: duration(1000).prefault('1h'),
      principals: z
        .array(
          z.strictObject({
            subject: text('a subject'),
            kind: oneOf('person', 'workload'),
            groups: z.array(text()).prefault([]),
            actors: z.array(actor()).exactOptional(),
            run: text().exactOptional(),
          }),
        )
        .min(1, { error: 'expected at least one principal' }),
    })
    .transform(({ tokenTtl, ...rest }) => ({ ...rest, tokenTtlMs: tokenTtl }))
    .describe('Who the development issuer of --dev knows.');

const MECHANISMS = 'plain, scram-sha-256, scram-sha-512 or oauthbearer';

const sasl = () =>
  z.discriminatedUnion(
    'mechanism',
    [
      z.strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        username: text('a user name'),
        password: secret(),
      }),
      z
        .strictObject({
          mechanism: z.literal('oauthbearer'),
          tokenEndpoint: url('https', 'http'),
          clientId: text('a client id'),
          clientSecret: secret(),
          scope: text('a scope').exactOptional(),
        })
        .describe(
          'A token by the client credentials grant (RFC 6749 section 4.4), as the Java client’s sasl.oauthbearer.token.endpoint.url.',
        ),
    ],
    { error: `expected a mechanism: ${MECHANISMS}` },
  );

/** One principal or several, as the brokers name them. */
const principals = () => {
  const error = 'expected a principal of the brokers, such as User:edge';
  // Everybody is nobody's user.
  const principal = z.string({ error }).regex(/^[A-Za-z]+:(?!\*$).+$/, { error });
  return z
    .union([principal, z.array(principal).min(1, { error })], { error })
    .transform((value) => (typeof value === 'string' ? [value] : value));
};

const acls = () =>
  z
    .strictObject({
      edge: principals(),
      decision: principals(),
      vendor: principals(),
      projector: principals(),
      console: principals(),
      publisher: principals().exactOptional().describe('Who runs sallyport policy publish.'),
      auditor: principals().exactOptional().describe('Who runs sallyport verify on the brokers.'),
      others: principals().exactOptional().describe('Who keeps the brokers: their ACLs are neither made nor told as a difference.'),
    })
    .describe('Which users of the brokers the services sign in as: sallyport topics apply --acls lets each do what its service does.');

const kafka = () =>
  z.strictObject({
    clientId: text('a name for the brokers’ logs').prefault('sallyport'),
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d{1,5}$/, { error: 'expected host:port' }))
      .min(1, { error: 'expected at least one broker' }),
    tls: z
      .union([
        z.boolean(),
        z.strictObject({
          ca: file('certificates').exactOptional(),
          cert: file('a certificate').exactOptional(),
          key: file('its key').exactOptional(),
        }),
      ])
      .exactOptional(),
    sasl: sasl().exactOptional(),
    acls: acls().exactOptional(),
    topics: z
      .strictObject({
        partitions: z.int().min(1).max(1000).prefault(12).describe('Of the sessions topic and of each request topic that isn’t there yet.'),
        replication: z.int().min(1).max(9).prefault(3).describe('Copies of each topic that isn’t there yet, on as many brokers.'),
      })
      .prefault({}),
  });

const bus = () =>
  z
    .union([z.literal('embedded'), z.strictObject({ kafka: kafka() })], { error: 'expected embedded or { kafka: … }' })
    .transform((value) => (value === 'embedded' ? { kind: 'embedded' as const } : { kind: 'kafka' as const, ...value.kafka }))
    .prefault('embedded');

const store = () =>
  z
    .union([z.literal('embedded'), z.strictObject({ postgres: z.strictObject({ url: secret() }) })], {
      error: 'expected embedded or { postgres: { url: … } }',
    })
    .transform((value) => (value === 'embedded' ? { kind: 'embedded' as const } : { kind: 'postgres' as const, url: value.postgres.url }))
    .prefault('embedded');

/** The whole file. */
export function configSchema() {
  return z.strictObject({
    data: file('a directory').prefault('./data').describe('Spool, embedded log, keys; relative to this file, like every path here.'),
    bus: bus(),
    store: store(),
    name: name()
      .prefault('main')
      .describe('Of this machine’s decision service, vendor, projector and console: in the names of their keys.'),
    edge: z.strictObject({ name: name().prefault('edge') }).prefault({}),
    installation: z
      .strictObject({
        id: z
          .string()
          .regex(/^[a-z0-9]{1,16}$/, { error: 'expected 1 to 16 lower-case letters and digits' })
          .describe('In the name of every role that the vendor makes.'),
        maskKey: secret().describe('Key of hash masks, at least 32 characters.'),
      })
      .exactOptional()
      .describe('The same on every machine. Default: made once in the data directory.'),
    trust: z
      .strictObject({ keys: file('a file with the enrolled keys, one a line, or a directory with *.pub files') })
      .exactOptional()
      .describe('Whose word is taken on the bus: the same on every machine. Default: who has a key in the data directory.'),
    listen: listen(),
    identity: z.strictObject({ providers: z.array(provider()).prefault([]), dev: dev().exactOptional() }).prefault({}),
    resources: z.array(resourceSchema()).prefault([]),
    policy: z
      .strictObject({
        path: file('a directory with Rego').exactOptional().describe('Default: the policies that come with Sallyport.'),
        grants: file('grants.yaml').exactOptional(),
        decisions: oneOf('remote', 'local').prefault('remote'),
      })
      .prefault({}),
    limits: limitsSchema(),
  });
}

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The configuration: typed, every default in place, every path absolute, frozen. Secrets are references ({@link SecretRef}). */
export type Config = DeepReadonly<z.output<ReturnType<typeof configSchema>>>;
export type ListenConfig = Config['listen'];
export type ListenerConfig = ListenConfig['postgres'];
export type ProviderConfig = Config['identity']['providers'][number];
export type OidcProviderConfig = Extract<ProviderConfig, { kind: 'oidc' }>;
export type DevIdentityConfig = NonNullable<Config['identity']['dev']>;
export type ResourceConfig = Config['resources'][number];
export type PostgresResourceConfig = Extract<ResourceConfig, { kind: 'postgres' }>;
export type PostgresCredentialConfig = PostgresResourceConfig['credential'];
export type AuditConfig = ResourceConfig['audit'];
