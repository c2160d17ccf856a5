import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { fromVersionNumber, type ProtocolVersion, toVersionNumber } from '../protocol-version.js';

/**
 * NegotiateProtocolVersion (B): the server speaks an older minor version than was asked for, or not every `_pq_.` option. Comes before sign-in.
 *
 *     Byte1('v')  Int32 length  Int32 newest version  Int32 count  String option [count]
 */
export interface NegotiateProtocolVersion {
  readonly kind: 'negotiateProtocolVersion';
  /** The newest that the server speaks; a whole version on the wire, whatever the chapter says of a minor one. */
  readonly newest: ProtocolVersion;
  /** Names of the `_pq_.` options that the server doesn't know. */
  readonly unknownOptions: readonly string[];
}

export function decodeNegotiateProtocolVersion(body: Buffer): NegotiateProtocolVersion {
  const reader = new BodyReader(body, 'NegotiateProtocolVersion');
  const newest = fromVersionNumber(reader.int32());
  const count = reader.int32();
  if (count < 0 || count > reader.left) throw reader.malformed('a count is larger than the body');
  const unknownOptions: string[] = [];
  for (let i = 0; i < count; i += 1) unknownOptions.push(reader.serverString());
  reader.end();
  return { kind: 'negotiateProtocolVersion', newest, unknownOptions };
}

export function encodeNegotiateProtocolVersion(message: NegotiateProtocolVersion): Buffer {
  const writer = new FrameWriter(BackendType.negotiateProtocolVersion);
  writer.int32(toVersionNumber(message.newest)).int32(message.unknownOptions.length);
  for (const option of message.unknownOptions) writer.cstring(option);
  return writer.finish();
}
