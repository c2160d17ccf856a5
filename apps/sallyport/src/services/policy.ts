import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import type { Limits } from '@sallyport/config';
import { canonicalJson, type Engine, type GrantsDocument, revisionOf, type Verdicts, verdicts } from '@sallyport/verdict';
import type { Logger } from 'pino';

/** A policy as every service of one process is given it: where its bundle is, and the grants. */
export interface Policy {
  readonly bundleDir: string;
  readonly grants: GrantsDocument;
}

export interface LoadedPolicy {
  readonly engine: Engine;
  readonly revision: string;
  readonly inputPaths: readonly string[];
  /** Hex SHA-256 of the compiled bundle. */
  readonly bundle: string;
  /** Paths of the default rules. */
  readonly rules: readonly string[];
  /** Version of opa that compiled it. */
  readonly opa: string;
}

export async function loadPolicy({ bundleDir, grants }: Policy): Promise<LoadedPolicy> {
  const { wasm, manifest, files } = await readBundle(bundleDir);
  return {
    engine: opaWasmEngine({ wasm, entrypoints: manifest.entrypoints, data: grants }),
    revision: revisionOf(files, canonicalJson(grants)),
    inputPaths: manifest.inputPaths['sallyport/verdict'],
    bundle: manifest.sha256,
    rules: manifest.rules,
    opa: manifest.opa,
  };
}

export function verdictsOf({ engine, revision, inputPaths }: LoadedPolicy, limits: Limits, log: Pick<Logger, 'error'>): Verdicts {
  return verdicts(engine, {
    revision,
    inputPaths,
    cacheMaxEntries: limits.verdictCacheEntries,
    onFailure: (error) => log.error({ err: error }, 'the policy could not judge; the operation is refused'),
  });
}

export async function policyVerdicts(policy: Policy, limits: Limits, log: Pick<Logger, 'error'>): Promise<Verdicts> {
  return verdictsOf(await loadPolicy(policy), limits, log);
}
