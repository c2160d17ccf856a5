import { readFileSync } from 'node:fs';
import type { Config, PostgresResourceConfig } from '@sallyport/config';
import { resolveSecret } from '@sallyport/config';
import type { PostgresResource } from '@sallyport/edge';
import type { VendorResource } from '@sallyport/vendor';

/** What the edge is told of the configured databases: where they are, and nothing that opens them. */
export function edgeResources(config: Config): PostgresResource[] {
  return postgresOf(config).map(({ name, labels, address, database, databases = [], tls, audit }) => ({
    name,
    labels,
    target: {
      ...(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }),
      tls: tls.mode,
      ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca, 'utf8') }),
    },
    database,
    databases,
    // best_effort is refused at the start; what gets here all the same is as strict as can be.
    audit: { ...audit, mode: audit.mode === 'buffered' ? 'buffered' : 'strict' },
  }));
}

/** What the vendor is told: the administrators' credentials, which only it has. Throws SecretError. */
export function vendorResources(config: Config, baseDir: string, env: NodeJS.ProcessEnv): VendorResource[] {
  return postgresOf(config).map(({ name, labels, database, databases, tls, credential }) => ({
    name,
    kind: 'postgres',
    labels,
    database,
    ...(databases === undefined ? {} : { databases }),
    // verify-ca is checked in full here: the vendor's password goes over this connection.
    tls: {
      mode: tls.mode === 'verify-ca' ? 'verify-full' : tls.mode,
      ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca, 'utf8') }),
    },
    credential:
      credential.kind === 'static'
        ? { kind: 'static', user: credential.user, password: resolveSecret(credential.password, { env, baseDir }) }
        : {
            kind: 'postgres-role',
            adminUrl: resolveSecret(credential.admin, { env, baseDir }),
            ttlMs: credential.ttlMs,
            profiles: credential.profiles,
            ...(credential.owner === undefined ? {} : { owner: credential.owner }),
          },
  }));
}

function postgresOf(config: Config): PostgresResourceConfig[] {
  return config.resources.filter((resource): resource is PostgresResourceConfig => resource.kind === 'postgres');
}
