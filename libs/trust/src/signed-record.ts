import type { OutgoingRecord } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { type Service, serviceOf } from './roles.js';
import type { Roster } from './roster.js';

/** Headers of a signed record: the id of the key, and an Ed25519 signature in base64. */
export const KEY_HEADER = 'sallyport-key';
export const SIGNATURE_HEADER = 'sallyport-signature';

/** What is signed of a record: where it belongs, and its bytes. A record that is moved to another topic or key is not signed. */
export interface Signable {
  readonly key: string | null;
  readonly value: Uint8Array;
}

/**
 * Ed25519 over `sallyport.record.v1\n`, the topic and key as JSON, a line feed, and the bytes. The key is taken as it comes back from a bus,
 * in UTF-8: half a surrogate pair, which a token's subject may have, is none.
 */
function statement(topic: string, { key, value }: Signable): Buffer {
  const asStored = key === null ? null : Buffer.from(key).toString();
  return Buffer.concat([Buffer.from(`sallyport.record.v1\n${JSON.stringify([topic, asStored])}\n`), value]);
}

/** The record with its sender's signature. */
export function signRecord(key: SigningKey, topic: string, record: OutgoingRecord): OutgoingRecord {
  const signature = key.sign(statement(topic, record)).toString('base64');
  return { ...record, headers: { ...record.headers, [KEY_HEADER]: key.id, [SIGNATURE_HEADER]: signature } };
}

export type Unsigned = 'unsigned' | 'unknown-key' | 'bad-signature';
export type Signed = { readonly ok: true; readonly service: Service } | { readonly ok: false; readonly reason: Unsigned };

/** Who has signed it, if it is somebody of this installation. Says nothing of when: a copy of an old record is signed too. */
export function signerOf(
  roster: Roster,
  record: Signable & { readonly topic: string; readonly headers: Readonly<Record<string, string>> },
): Signed {
  const { [KEY_HEADER]: id, [SIGNATURE_HEADER]: signature } = record.headers;
  if (id === undefined || signature === undefined) return { ok: false, reason: 'unsigned' };
  const key = roster.find(id);
  const service = key && serviceOf(key.name);
  if (!key || !service) return { ok: false, reason: 'unknown-key' };
  if (!key.verify(statement(record.topic, record), Buffer.from(signature, 'base64'))) return { ok: false, reason: 'bad-signature' };
  return { ok: true, service };
}
