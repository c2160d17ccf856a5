/** Real bundles for specs, whole and broken. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bus, type Placed, TOPICS } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { policyRecord, type PublishedPolicy } from '@sallyport/policy-store';
import { canonicalJson, type GrantsDocument, loadGrants, type PolicyInput, revisionOf } from '@sallyport/verdict';
import { DEFAULT_BUNDLE_DIR } from './settings.js';

export type Publishable = Pick<PublishedPolicy, 'files' | 'grants' | 'revision'>;

export function grantsFor(...subjects: readonly string[]): GrantsDocument {
  const grants = subjects.map((subject) => ({
    name: `${subject} reads`,
    who: { subjects: [subject] },
    on: { names: ['shop'] },
    allow: ['postgres.read'],
    credential: 'reader',
  }));
  const loaded = loadGrants(JSON.stringify({ grants }));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.document;
}

/** The policies that come with Sallyport, with these grants. */
export async function policyWith(grants: unknown): Promise<Publishable> {
  const [wasm, manifest] = await Promise.all(['policy.wasm', 'manifest.json'].map((name) => readFile(join(DEFAULT_BUNDLE_DIR, name))));
  return publishable(wasm!, manifest!, grants);
}

function publishable(wasm: Uint8Array, manifest: Uint8Array, grants: unknown): Publishable {
  return {
    files: { 'policy.wasm': wasm, 'manifest.json': manifest },
    grants,
    revision: revisionOf([wasm, manifest], canonicalJson(grants)),
  };
}

/** Another module or manifest; the revision is right, and the manifest's digest too unless it is given. */
export function altered(
  { files, grants }: Publishable,
  change: { readonly wasm?: (wasm: Buffer) => void; readonly manifest?: object },
): Publishable {
  const wasm = Buffer.from(files['policy.wasm']);
  change.wasm?.(wasm);
  const manifest = {
    ...(JSON.parse(Buffer.from(files['manifest.json']).toString()) as object),
    sha256: createHash('sha256').update(wasm).digest('hex'),
    ...change.manifest,
  };
  return publishable(wasm, Buffer.from(JSON.stringify(manifest)), grants);
}

export async function publish(bus: Bus, key: SigningKey, number: number, policy: Publishable): Promise<Placed> {
  const [placed] = await bus.produce(TOPICS.policies, [policyRecord(key, { ...policy, number, comment: '', timeMs: Date.now() })]);
  return placed!;
}

export function readBy(subject: string, run = 'run'): PolicyInput {
  return {
    principal: { subject, issuer: 'i', provider: 'corp', kind: 'workload', groups: [], actors: [] },
    session: { id: run, run, operations: 0, rows: 0, bytes: 0, denials: 0 },
    resource: { name: 'shop', kind: 'postgres', labels: {} },
    operation: { kind: 'connect', class: 'postgres.connect', classes: ['postgres.connect'] },
    time: '2026-01-01T00:00:00Z',
  };
}

export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (await holds()) return;
  }
  throw new Error(`never: ${what}`);
}
