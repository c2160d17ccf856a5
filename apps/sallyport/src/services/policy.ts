import { bundleOf, opaWasmEngine, type PolicyBundle, readBundle } from '@sallyport/adapter-opa-wasm';
import type { PublishedPolicy } from '@sallyport/policy-store';
import { canonicalJson, type Engine, type GrantsDocument, loadGrants, revisionOf, verdicts } from '@sallyport/verdict';
import { PROBE } from './policy-probe.js';

/** A policy as it is configured: where its bundle is, and the grants. */
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
  readonly grants: GrantsDocument;
}

export type PolicyLoadErrorCode = 'POLICY_REVISION' | 'POLICY_GRANTS_INVALID' | 'POLICY_CANNOT_JUDGE';

/** A policy that nobody may be judged by. The message never quotes grants. */
export class PolicyLoadError extends Error {
  override readonly name = 'PolicyLoadError';

  constructor(
    readonly code: PolicyLoadErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Loads what the configuration names. */
export async function loadPolicy({ bundleDir, grants }: Policy): Promise<LoadedPolicy> {
  return loaded(await readBundle(bundleDir), grants);
}

/** Loads what was published. All that judges is checked here: the same bytes pass, or don't, everywhere. */
export function loadPublished({ files, grants, revision }: Pick<PublishedPolicy, 'files' | 'grants' | 'revision'>): LoadedPolicy {
  const policy = loaded(bundleOf(files['policy.wasm'], files['manifest.json']), grantsOf(grants));
  if (policy.revision !== revision)
    throw new PolicyLoadError('POLICY_REVISION', `its revision is ${policy.revision}, and it says ${revision}`);
  probe(policy);
  return policy;
}

function loaded({ wasm, manifest, files }: PolicyBundle, grants: GrantsDocument): LoadedPolicy {
  return {
    engine: opaWasmEngine({ wasm, entrypoints: manifest.entrypoints, data: grants }),
    revision: revisionOf(files, canonicalJson(grants)),
    inputPaths: manifest.inputPaths['sallyport/verdict'],
    bundle: manifest.sha256,
    rules: manifest.rules,
    opa: manifest.opa,
    grants,
  };
}

/** JSON is YAML, so that what is published is checked as what is configured. */
function grantsOf(document: unknown): GrantsDocument {
  const grants = loadGrants(JSON.stringify(document) ?? '');
  if (grants.ok) return grants.document;
  const [first] = grants.problems;
  throw new PolicyLoadError('POLICY_GRANTS_INVALID', `its grants are wrong at ${first?.path ?? ''}: ${first?.message ?? ''}`);
}

/** A module that loads and then fails would refuse everything, everywhere. */
function probe({ engine, revision, inputPaths }: LoadedPolicy): void {
  let failure: unknown;
  verdicts(engine, { revision, inputPaths, onFailure: (error) => (failure = error) }).decide(PROBE);
  if (failure !== undefined) throw new PolicyLoadError('POLICY_CANNOT_JUDGE', 'it fails to judge a connection', { cause: failure });
}
