import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest, type PolicyManifest } from '@sallyport/verdict';
import { PolicyEngineError } from './errors.js';

export const BUNDLE_FILE_MAX_BYTES = 32 * 1024 * 1024;

/** A compiled policy, checked against its digest. */
export interface PolicyBundle {
  readonly manifest: PolicyManifest;
  readonly wasm: Uint8Array;
  /** Its files in order, for `revisionOf`. */
  readonly files: readonly Uint8Array[];
}

/**
 * Reads `policy.wasm` and `manifest.json` of a directory, as policies/build.mjs writes them.
 * @throws PolicyEngineError POLICY_BUNDLE_UNREADABLE, POLICY_BUNDLE_DIGEST
 * @throws VerdictError POLICY_MANIFEST_INVALID
 */
export async function readBundle(directory: string): Promise<PolicyBundle> {
  return bundleOf(await readFileOf(directory, 'policy.wasm'), await readFileOf(directory, 'manifest.json'));
}

/**
 * The bundle that these files are.
 * @throws PolicyEngineError POLICY_BUNDLE_DIGEST
 * @throws VerdictError POLICY_MANIFEST_INVALID
 */
export function bundleOf(wasm: Uint8Array, manifestBytes: Uint8Array): PolicyBundle {
  const manifest = parseManifest(Buffer.from(manifestBytes).toString('utf8'));
  const sha256 = createHash('sha256').update(wasm).digest('hex');
  if (sha256 !== manifest.sha256) {
    throw new PolicyEngineError('POLICY_BUNDLE_DIGEST', `policy.wasm has digest ${sha256}, its manifest says ${manifest.sha256}`);
  }
  return { manifest, wasm, files: [wasm, manifestBytes] };
}

async function readFileOf(directory: string, name: string): Promise<Buffer> {
  const path = join(directory, name);
  try {
    const { size } = await stat(path);
    if (size > BUNDLE_FILE_MAX_BYTES) throw new RangeError(`larger than ${BUNDLE_FILE_MAX_BYTES} bytes`);
    return await readFile(path);
  } catch (cause) {
    throw new PolicyEngineError('POLICY_BUNDLE_UNREADABLE', `can't read ${path}: ${cause instanceof Error ? cause.message : 'unknown'}`, {
      cause,
    });
  }
}
