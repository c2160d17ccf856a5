import { BodyReader } from './body-reader.js';
import { isCancelKey, requireCancelKey } from './cancel-key.js';
import { FrameWriter } from './frame-writer.js';
import { fromVersionNumber, type ProtocolVersion, toVersionNumber } from './protocol-version.js';
import { WireError } from './wire-error.js';

/*
 * The startup phase: packets without a type byte, told apart by an Int32 that is a protocol version or a number that can't be
 * one (chapters 'Start-up' and 'Message Formats').
 *
 *     Int32 length  Int32 code  Byte n
 *
 * Where a request for encryption was accepted, bytes that came with it in the clear must not be used (CVE-2021-23214): the
 * scanner says where each packet ended, and the caller refuses what lies behind.
 */

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const STARTUP_MAJOR = 3;

/** PostgreSQL's MAX_STARTUP_PACKET_LENGTH: of what follows the length. */
export const MAX_STARTUP_PACKET_BYTES = 10_000;

/** Byte1, the answer to SSLRequest; and 'N' to GSSENCRequest too. */
export const NEGOTIATION_ACCEPTED = 0x53; // S
export const NEGOTIATION_REFUSED = 0x4e; // N

/** A TLS handshake record: a client that speaks TLS at once, without SSLRequest (PostgreSQL 17, `sslnegotiation=direct`). */
export const TLS_FIRST_BYTE = 0x16;

/** Whether a connection's first byte begins a TLS handshake. No startup packet under 369 MB begins so. */
export function isDirectTls(firstByte: number): boolean {
  return firstByte === TLS_FIRST_BYTE;
}

/** Asks for TLS: Int32(8) Int32(80877103). */
export interface SSLRequest {
  readonly kind: 'sslRequest';
}

/** Asks for GSSAPI encryption: Int32(8) Int32(80877104). */
export interface GSSENCRequest {
  readonly kind: 'gssEncRequest';
}

/** Cancels what a session runs: Int32 length  Int32(80877102)  Int32 process  Byte n secret (4 bytes in 3.0, to 256 in 3.2). */
export interface CancelRequest {
  readonly kind: 'cancelRequest';
  readonly processId: number;
  readonly secret: Buffer;
}

/** Int32 length  Int32 version  (String name  String value)[…]  Byte1(0) */
export interface StartupMessage {
  readonly kind: 'startupMessage';
  /** Major 3; the minor version may be one that nobody knows, and is then negotiated down. */
  readonly protocol: ProtocolVersion;
  /** `user`, `database`, `options`, `_pq_.` protocol options, settings. Of a name that comes twice the last value stands, as in PostgreSQL. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A major version other than 3. To be refused. */
export interface UnsupportedProtocol {
  readonly kind: 'unsupportedProtocol';
  readonly protocol: ProtocolVersion;
}

export type StartupPacket = SSLRequest | GSSENCRequest | CancelRequest | StartupMessage | UnsupportedProtocol;

/**
 * Decodes what follows the length. Bytes are views of it.
 *
 * Throws {@link WireError} `WIRE_MESSAGE_MALFORMED`, `WIRE_TEXT_NOT_UTF8`.
 */
export function decodeStartupPacket(body: Buffer): StartupPacket {
  const reader = new BodyReader(body, 'startup packet');
  const code = reader.int32();
  switch (code) {
    case SSL_REQUEST:
      reader.end();
      return { kind: 'sslRequest' };
    case GSSENC_REQUEST:
      reader.end();
      return { kind: 'gssEncRequest' };
    case CANCEL_REQUEST:
      return decodeCancelRequest(reader);
    default: {
      const protocol = fromVersionNumber(code);
      if (protocol.major !== STARTUP_MAJOR) return { kind: 'unsupportedProtocol', protocol };
      return decodeStartupMessage(reader, protocol);
    }
  }
}

function decodeCancelRequest(reader: BodyReader): CancelRequest {
  const processId = reader.int32();
  const secret = reader.rest();
  if (!isCancelKey(secret)) throw reader.malformed('a key of the wrong length');
  return { kind: 'cancelRequest', processId, secret };
}

function decodeStartupMessage(reader: BodyReader, protocol: ProtocolVersion): StartupMessage {
  const parameters = new Map<string, string>();
  for (let name = reader.clientString(); name !== ''; name = reader.clientString()) parameters.set(name, reader.clientString());
  reader.end();
  return { kind: 'startupMessage', protocol, parameters };
}

/** The whole packet. Throws {@link WireError} `WIRE_VALUE_OUT_OF_RANGE`. */
export function encodeStartupPacket(packet: Exclude<StartupPacket, UnsupportedProtocol>): Buffer {
  const writer = new FrameWriter(0);
  switch (packet.kind) {
    case 'sslRequest':
      return writer.int32(SSL_REQUEST).finish();
    case 'gssEncRequest':
      return writer.int32(GSSENC_REQUEST).finish();
    case 'cancelRequest':
      return writer.int32(CANCEL_REQUEST).int32(packet.processId).bytes(requireCancelKey(packet.secret)).finish();
    case 'startupMessage': {
      writer.int32(toVersionNumber(packet.protocol));
      for (const [name, value] of packet.parameters) {
        if (name === '') throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'a startup parameter without a name');
        writer.cstring(name).cstring(value);
      }
      return writer.uint8(0).finish();
    }
  }
}

/** A packet, and the offset in the pushed chunk right behind it. What is from there on was not looked at. */
export interface ScannedStartupPacket {
  readonly packet: StartupPacket;
  readonly end: number;
}

/**
 * Cuts startup packets out of a connection's first bytes, one a call, since each changes what comes next. A caller that takes
 * direct TLS looks at the first byte before it pushes anything ({@link isDirectTls}).
 *
 * Errors ({@link WireError}): `WIRE_FRAME_LENGTH`, `WIRE_FRAME_TOO_LARGE`, and those of {@link decodeStartupPacket}.
 */
export class StartupScanner {
  private held = Buffer.alloc(0);

  /** @param maxPacketBytes of what follows the length, as PostgreSQL counts */
  constructor(private readonly maxPacketBytes: number = MAX_STARTUP_PACKET_BYTES) {}

  /** Bytes held back for a packet that isn't whole yet. */
  get heldBytes(): number {
    return this.held.length;
  }

  /** Scans `chunk[from … )`; undefined when it was used up and the packet isn't whole. The packet's bytes are its own. */
  push(chunk: Buffer, from = 0): ScannedStartupPacket | undefined {
    const before = this.held.length;
    let at = from;
    if (before < 4) at = this.hold(chunk, at, 4 - before);
    if (this.held.length < 4) return undefined;
    const length = this.held.readInt32BE(0);
    if (length < 8) throw new WireError('WIRE_FRAME_LENGTH', 'a startup packet length under 8');
    if (length - 4 > this.maxPacketBytes) {
      throw new WireError('WIRE_FRAME_TOO_LARGE', `a startup packet over ${this.maxPacketBytes} bytes`);
    }
    at = this.hold(chunk, at, length - this.held.length);
    if (this.held.length < length) return undefined;
    const body = this.held.subarray(4);
    this.held = Buffer.alloc(0);
    return { packet: decodeStartupPacket(body), end: at };
  }

  private hold(chunk: Buffer, from: number, length: number): number {
    const end = Math.min(chunk.length, from + length);
    if (end > from) this.held = Buffer.concat([this.held, chunk.subarray(from, end)]);
    return end;
  }
}
