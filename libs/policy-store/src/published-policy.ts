import { gzipSync } from 'node:zlib';
import type { OutgoingRecord } from '@sallyport/bus';
import { TOPICS } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { signRecord } from '@sallyport/trust';
import { PolicyStoreError } from './policy-store-error.js';

/** Of a record's value: what the bus takes as one record. */
export const POLICY_RECORD_MAX_BYTES = 1024 * 1024;
/** Of one file of a bundle, unpacked. */
export const POLICY_FILE_MAX_BYTES = 16 * 1024 * 1024;
export const POLICY_COMMENT_MAX_CHARS = 1000;
/** Of the published form. Another one is refused by who doesn't know it. */
export const POLICY_FORMAT = 1;

/** The files that a revision is made of, in this order (`revisionOf`). */
export const POLICY_FILES = ['policy.wasm', 'manifest.json'] as const;

/** A policy as it is published: all that judges, and who says so. */
export interface PublishedPolicy {
  /** From 1, and above all that were live before. */
  readonly number: number;
  /** `revisionOf` the files and the grants. */
  readonly revision: string;
  readonly files: Readonly<Record<(typeof POLICY_FILES)[number], Uint8Array>>;
  /** The grants document, not yet checked. */
  readonly grants: unknown;
  /** The name of the key that signed it: `publisher/NAME`. */
  readonly author: string;
  readonly timeMs: number;
  /** Empty when there is none. */
  readonly comment: string;
}

/** Of the record: every version has its own, so that no version takes the place of another, also where somebody made the topic compact. */
export function policyKey(author: string, number: number): string {
  return `${author} ${number}`;
}

/**
 * The signed record that publishes a policy.
 * @param key  `publisher/NAME`
 * @throws PolicyStoreError POLICY_TOO_LARGE, POLICY_UNPUBLISHABLE
 */
export function policyRecord(key: SigningKey, policy: Omit<PublishedPolicy, 'author'>): OutgoingRecord {
  const { number, revision, files, grants, timeMs, comment } = policy;
  if (!Number.isSafeInteger(number) || number < 1) throw new PolicyStoreError('POLICY_UNPUBLISHABLE', 'the number of a policy is from 1');
  if (comment.length > POLICY_COMMENT_MAX_CHARS)
    throw new PolicyStoreError('POLICY_UNPUBLISHABLE', `the comment is longer than ${POLICY_COMMENT_MAX_CHARS} characters`);
  const large = POLICY_FILES.find((name) => files[name].byteLength > POLICY_FILE_MAX_BYTES);
  if (large !== undefined) throw new PolicyStoreError('POLICY_TOO_LARGE', `${large} is larger than ${POLICY_FILE_MAX_BYTES} bytes`);
  const recordKey = policyKey(key.name, number);
  const value = Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      id: recordKey,
      source: `/${key.name}`,
      type: 'policy.published',
      subject: revision,
      time: new Date(timeMs).toISOString(),
      datacontenttype: 'application/json',
      data: {
        format: POLICY_FORMAT,
        number,
        revision,
        comment,
        files: Object.fromEntries(POLICY_FILES.map((name) => [name, gzipSync(files[name], { level: 9 }).toString('base64')])),
        grants,
      },
    }),
  );
  if (value.byteLength > POLICY_RECORD_MAX_BYTES)
    throw new PolicyStoreError(
      'POLICY_TOO_LARGE',
      `the policy takes ${value.byteLength} bytes packed, more than the ${POLICY_RECORD_MAX_BYTES} of one record: make grants or rules smaller`,
    );
  return { ...signRecord(key, TOPICS.policies, { key: recordKey, value, timestampMs: timeMs }), partition: 0 };
}
