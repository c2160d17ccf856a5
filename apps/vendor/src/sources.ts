import type { ConnectionOptions } from 'node:tls';

import { postgresRoles, type PostgresRolesLimits, staticSource } from '@sallyport/adapter-postgres-role';
import type { LeaseSource } from '@sallyport/lease';

/** How to speak to the target: `require` encrypts and trusts anybody, `verify-full` checks chain and name. */
export type TargetTls = { readonly mode: 'disable' | 'require' | 'verify-full'; readonly ca?: string };

export interface PostgresRoleCredential {
  readonly kind: 'postgres-role';
  /** Resolved: `postgres://…`. Secret. Its own `sslmode` wins over the resource's `tls`. */
  readonly adminUrl: string;
  readonly ttlMs: number;
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  /** Gets what sessions leave behind. */
  readonly owner?: string;
}

export interface StaticCredential {
  readonly kind: 'static';
  readonly user: string;
  /** Resolved. Secret. */
  readonly password: string;
}

/** What the vendor needs to know of a resource. */
export interface VendorResource {
  readonly name: string;
  readonly kind: 'postgres';
  /** As policy sees them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly database: string;
  readonly databases?: readonly string[];
  readonly tls?: TargetTls;
  readonly credential: PostgresRoleCredential | StaticCredential;
}

function tlsOf(adminUrl: string, tls: TargetTls | undefined): ConnectionOptions | boolean | undefined {
  if (tls === undefined || /[?&]sslmode=/.test(adminUrl)) return undefined;
  if (tls.mode === 'disable') return false;
  return { rejectUnauthorized: tls.mode === 'verify-full', ...(tls.ca === undefined ? {} : { ca: tls.ca }) };
}

export interface SourceOptions {
  readonly installation: string;
  readonly limits?: Partial<PostgresRolesLimits>;
  readonly clock?: () => number;
}

/** The credential source of each resource. Rejects with `LEASE_CONFIG`. */
export async function leaseSources(resources: readonly VendorResource[], options: SourceOptions): Promise<readonly LeaseSource[]> {
  return Promise.all(
    resources.map(async ({ name, database, databases, tls, credential }) => {
      const clock = options.clock === undefined ? {} : { clock: options.clock };
      if (credential.kind === 'static')
        return staticSource({ resource: name, user: credential.user, password: credential.password, ...clock });
      const ssl = tlsOf(credential.adminUrl, tls);
      return postgresRoles({
        resource: name,
        adminUrl: credential.adminUrl,
        database,
        profiles: credential.profiles,
        ttlMs: credential.ttlMs,
        installation: options.installation,
        ...(ssl === undefined ? {} : { tls: ssl }),
        ...(databases === undefined ? {} : { databases }),
        ...(credential.owner === undefined ? {} : { owner: credential.owner }),
        ...(options.limits === undefined ? {} : { limits: options.limits }),
        ...clock,
      });
    }),
  );
}
