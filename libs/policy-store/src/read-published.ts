import { gunzipSync } from 'node:zlib';
import type { BusRecord } from '@sallyport/bus';
import { type Roster, signerOf } from '@sallyport/trust';
import {
  POLICY_COMMENT_MAX_CHARS,
  POLICY_FILE_MAX_BYTES,
  POLICY_FILES,
  POLICY_FORMAT,
  policyKey,
  type PublishedPolicy,
} from './published-policy.js';
import type { PolicyRefusal, Refused } from './refusal.js';

export type Read = { readonly ok: true; readonly policy: PublishedPolicy } | ({ readonly ok: false } & Refused);

/** The policy that a record publishes, if a publisher has signed it. Says nothing of its number, and doesn't load it. */
export function readPublished(roster: Roster, record: BusRecord): Read {
  const signed = signerOf(roster, record);
  if (!signed.ok) return refused(signed.reason, 'nobody of this installation has signed it');
  const { name, role } = signed.service;
  if (role !== 'publisher') return refused('not-a-publisher', `${name} publishes no policies`);
  try {
    const policy = policyOf(JSON.parse(record.value.toString('utf8')), name);
    if (record.key !== policyKey(name, policy.number)) return refused('malformed', 'the record’s key is another policy’s');
    return { ok: true, policy };
  } catch (error) {
    return refused('malformed', error instanceof Error ? error.message : 'unknown');
  }
}

function refused(reason: PolicyRefusal, detail: string): Read {
  return { ok: false, reason, detail };
}

/** @throws RangeError in words that quote nothing */
function policyOf(value: unknown, author: string): PublishedPolicy {
  const { specversion, source, type, time, data } = fieldsOf(value, 'the record');
  if (specversion !== '1.0' || type !== 'policy.published') throw new RangeError('it is no published policy');
  if (source !== `/${author}`) throw new RangeError('it names another publisher than the one who signed it');
  const { format, number, revision, comment, files, grants } = fieldsOf(data, 'data');
  if (format !== POLICY_FORMAT) throw new RangeError('it has a format that this version does not know');
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 1) throw new RangeError('its number is none');
  if (typeof revision !== 'string' || !/^[0-9a-f]{64}$/.test(revision)) throw new RangeError('its revision is none');
  if (typeof comment !== 'string' || comment.length > POLICY_COMMENT_MAX_CHARS) throw new RangeError('its comment is none, or too long');
  const timeMs = typeof time === 'string' ? Date.parse(time) : NaN;
  if (!Number.isFinite(timeMs)) throw new RangeError('its time is none');
  const packed = fieldsOf(files, 'files');
  if (Object.keys(packed).length !== POLICY_FILES.length) throw new RangeError(`its files are not ${POLICY_FILES.join(' and ')}`);
  const [wasm, manifest] = POLICY_FILES;
  return {
    number,
    revision,
    files: { [wasm]: unpacked(packed[wasm], wasm), [manifest]: unpacked(packed[manifest], manifest) },
    grants,
    author,
    timeMs,
    comment,
  };
}

function fieldsOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RangeError(`${what} is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function unpacked(value: unknown, name: string): Uint8Array {
  if (typeof value !== 'string') throw new RangeError(`${name} is missing`);
  try {
    return gunzipSync(Buffer.from(value, 'base64'), { maxOutputLength: POLICY_FILE_MAX_BYTES });
  } catch {
    throw new RangeError(`${name} can not be unpacked, or is larger than ${POLICY_FILE_MAX_BYTES} bytes`);
  }
}
