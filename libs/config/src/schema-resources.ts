import { z } from 'zod';
import { duration, name, oneOf, postgresAddress, tcpAddress, text, url } from './fields.js';
import { secret } from './secrets.js';

const TLS_MODES = ['verify-full', 'verify-ca', 'require', 'disable'] as const;
const MIN_TTL_MS = 10_000;

export interface PostgresTls {
  readonly mode: (typeof TLS_MODES)[number];
  /** A file with the certificates that are trusted; absent: the system's. */
  readonly ca?: string;
}

const tls = () =>
  z
    .union(
      [
        z.enum(TLS_MODES),
        z.strictObject({
          mode: z.enum(TLS_MODES, { error: `expected ${TLS_MODES.join(', ')}` }).prefault('verify-full'),
          ca: text('the path of a file with certificates').exactOptional(),
        }),
      ],
      { error: `expected ${TLS_MODES.join(', ')} or { mode: …, ca: … }` },
    )
    .transform((value): PostgresTls => (typeof value === 'string' ? { mode: value } : value));

const labels = () => z.record(z.string(), z.string({ error: 'expected a text' })).prefault({});

const audit = () =>
  z
    .strictObject({
      mode: oneOf('strict', 'buffered', 'best_effort').prefault('strict'),
      durability: oneOf('disk', 'process', 'replicated').prefault('disk'),
      record: oneOf('full', 'metadata').prefault('full'),
    })
    .prefault({});

const profiles = () =>
  z
    .record(
      z.string().regex(/^[a-z0-9_-]{1,63}$/, { error: 'expected a profile name of lower-case letters, digits, dashes and underscores' }),
      z.array(text('a GRANT phrase, such as "SELECT ON ALL TABLES IN SCHEMA public", or "ROLE name"')).min(1, {
        error: 'expected at least one GRANT phrase',
      }),
    )
    .refine((value) => Object.keys(value).length > 0, { error: 'expected at least one profile' });

const postgresCredential = () =>
  z
    .strictObject({
      'postgres-role': z
        .strictObject({
          admin: secret(),
          ttl: duration(MIN_TTL_MS).prefault('15m'),
          profiles: profiles(),
          owner: text('the role that gets what sessions leave behind').exactOptional(),
        })
        .exactOptional(),
      static: z.strictObject({ user: text('a user name'), password: secret() }).exactOptional(),
    })
    .transform((value, context) => {
      const { 'postgres-role': role, static: fixed } = value;
      if (role && !fixed) {
        const { ttl, ...rest } = role;
        return { kind: 'postgres-role' as const, ttlMs: ttl, ...rest };
      }
      if (fixed && !role) return { kind: 'static' as const, ...fixed };
      context.addIssue({ code: 'custom', message: 'expected exactly one of postgres-role, static' });
      return z.NEVER;
    });

const postgres = () =>
  z
    .strictObject({
      name: name(),
      kind: z.literal('postgres'),
      address: postgresAddress(),
      database: text('the name of a database'),
      databases: z.array(text('the name of a database')).exactOptional().describe('What NAME/dbname may reach beside `database`.'),
      tls: tls().exactOptional().describe('Default verify-full; disable for a socket.'),
      labels: labels(),
      credential: postgresCredential(),
      audit: audit(),
    })
    .transform((value) => ({
      ...value,
      tls: value.tls ?? ({ mode: value.address.kind === 'unix' ? 'disable' : 'verify-full' } satisfies PostgresTls as PostgresTls),
    }));

/** Kinds whose shape is known and whose engine is not built: enough of a check to catch a slip of the pen. */
const credentialOf = <const T extends Record<string, z.ZodType>>(shapes: T) =>
  z.strictObject(
    Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, shape.exactOptional()])) as {
      [K in keyof T]: z.ZodExactOptional<T[K]>;
    },
  );

const fixed = () => z.strictObject({ user: text('a user name'), password: secret() });
const header = () => z.strictObject({ name: text('the name of a header'), value: secret() });
const base = { name: name(), labels: labels(), audit: audit() };
const caOnly = () => z.strictObject({ ca: text('the path of a file with certificates').exactOptional() }).exactOptional();

const ssh = () =>
  z.strictObject({
    ...base,
    kind: z.literal('ssh'),
    address: tcpAddress('127.0.0.1:22'),
    hostKey: text('the public host key, such as "ssh-ed25519 AAAA…"'),
    credential: credentialOf({
      'ssh-certificate': z.strictObject({ ca: secret(), login: text('a login name'), ttl: duration(MIN_TTL_MS).prefault('5m') }),
      static: fixed(),
    }),
  });

const http = () =>
  z.strictObject({
    ...base,
    kind: z.literal('http'),
    url: url('https', 'http'),
    dialect: text('the name of a dialect, such as openai').exactOptional(),
    tls: caOnly(),
    credential: credentialOf({ header: header(), static: fixed() }),
  });

const aws = () =>
  z.strictObject({
    ...base,
    kind: z.literal('aws'),
    url: url('https', 'http'),
    region: text('a region, such as eu-west-1'),
    credential: credentialOf({
      'aws-assume-role': z.strictObject({
        role: text('the ARN of a role'),
        accessKeyId: secret(),
        secretAccessKey: secret(),
        ttl: duration(MIN_TTL_MS).prefault('15m'),
      }),
    }),
  });

const kubernetes = () =>
  z.strictObject({
    ...base,
    kind: z.literal('kubernetes'),
    url: url('https'),
    tls: caOnly(),
    credential: credentialOf({
      'kubernetes-token': z.strictObject({
        serviceAccount: z.string().regex(/^[^/]+\/[^/]+$/, { error: 'expected namespace/name' }),
        admin: secret(),
        ttl: duration(MIN_TTL_MS).prefault('15m'),
      }),
    }),
  });

const mcp = () =>
  z.strictObject({
    ...base,
    kind: z.literal('mcp'),
    url: url('https', 'http'),
    tls: caOnly(),
    credential: credentialOf({ header: header() }),
  });

export function resourceSchema() {
  return z.discriminatedUnion('kind', [postgres(), ssh(), http(), aws(), kubernetes(), mcp()], {
    error: (issue) => (issue.code === 'invalid_union' ? 'expected one of postgres, ssh, http, aws, kubernetes, mcp' : undefined),
  });
}
