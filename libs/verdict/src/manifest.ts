import { VerdictError } from './errors.js';
import type { Entrypoint } from './engine.port.js';

/** What policies/build.mjs says about the module it built. */
export interface PolicyManifest {
  readonly format: 1;
  /** Version of opa that compiled it. */
  readonly opa: string;
  /** Hex SHA-256 of policy.wasm. */
  readonly sha256: string;
  readonly entrypoints: readonly Entrypoint[];
  /** Built-ins that the host has to provide. */
  readonly requiredBuiltins: readonly string[];
  /** Per entrypoint, every path of the input that it may read, as JSON pointers. */
  readonly inputPaths: Readonly<Record<Entrypoint, readonly string[]>>;
  /** Paths of the default rules. */
  readonly rules: readonly string[];
}

const ENTRYPOINTS: readonly Entrypoint[] = ['sallyport/verdict', 'sallyport/approval', 'sallyport/console'];

/** @throws VerdictError POLICY_MANIFEST_INVALID */
export function parseManifest(text: string): PolicyManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VerdictError('POLICY_MANIFEST_INVALID', 'the manifest is not JSON', { cause });
  }
  const manifest = value as Partial<PolicyManifest> | null;
  if (
    manifest?.format !== 1 ||
    typeof manifest.opa !== 'string' ||
    typeof manifest.sha256 !== 'string' ||
    !isStrings(manifest.entrypoints) ||
    !isStrings(manifest.requiredBuiltins) ||
    !isStrings(manifest.rules) ||
    !ENTRYPOINTS.every((entrypoint) => manifest.entrypoints?.includes(entrypoint) === true && isStrings(manifest.inputPaths?.[entrypoint]))
  ) {
    throw new VerdictError('POLICY_MANIFEST_INVALID', 'the manifest is not one that policies/build.mjs of this version writes');
  }
  return manifest as PolicyManifest;
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
