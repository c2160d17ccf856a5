import assert from 'node:assert/strict';

import { decodeBackend, encodeBackend } from './backend.js';
import { FrameScanner } from './framing.js';
import { type Awaiting, decodeFrontend, encodeFrontend } from './frontend.js';
import { decodeOAuthBearerInitialResponse } from './sasl-oauthbearer.js';
import { encodeStartupPacket, StartupScanner } from './startup.js';
import { WireError } from './wire-error.js';

/*
 * What must hold for any bytes at all. The fuzz loop (test/fuzz/wire-postgres.mjs) looks for bytes for which it doesn't, and a
 * spec replays those that were found (testdata/corpus). Not exported from the package.
 */

const MAX_FRAME_BYTES = 4096;
const AWAITING: readonly (Awaiting | undefined)[] = [undefined, 'password', 'saslInitialResponse', 'saslResponse'];

/** The first byte says as what the rest is read. Throws when a decoder fails with anything but a WireError, or contradicts itself. */
export function check(input: Buffer): void {
  const bytes = input.subarray(1);
  switch (input[0]) {
    case 0x53: // S
      return checkStartup(bytes);
    case 0x46: // F
      return checkFrames(bytes, checkFrontend);
    case 0x42: // B
      return checkFrames(bytes, checkBackend);
    case 0x4f: // O
      attempt(() => decodeOAuthBearerInitialResponse(bytes));
      return;
    default:
  }
}

/** The result, or the code of the WireError that was thrown instead. */
function attempt<T>(act: () => T): { readonly result: T } | { readonly code: string } {
  try {
    return { result: act() };
  } catch (error) {
    if (error instanceof WireError) return { code: error.code };
    throw error;
  }
}

/** The cuts depend on the bytes, so that a kept input fails the same way again. */
function pieces(bytes: Buffer): Buffer[] {
  const cut: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const end = at + 1 + (bytes[(i * 7) % bytes.length]! % 23);
    cut.push(bytes.subarray(at, end));
    at = end;
  }
  return cut;
}

function checkFrames(bytes: Buffer, checkBody: (type: number, body: Buffer) => void): void {
  const scan = (chunks: readonly Buffer[]) => {
    const frames: string[] = [];
    const scanner = new FrameScanner({ maxFrameBytes: MAX_FRAME_BYTES });
    const end = attempt(() => {
      for (const chunk of chunks) {
        scanner.push(chunk, (type, buffer, start, stop) => {
          assert.ok(stop - start + 5 <= MAX_FRAME_BYTES);
          frames.push(`${type} ${buffer.toString('hex', start, stop)}`);
        });
        assert.ok(scanner.heldBytes <= MAX_FRAME_BYTES);
      }
      return scanner.atBoundary;
    });
    return { frames, end };
  };
  const whole = scan([bytes]);
  assert.deepEqual(scan(pieces(bytes)), whole);
  for (const frame of whole.frames) {
    const [type, hex = ''] = frame.split(' ');
    checkBody(Number(type), Buffer.from(hex, 'hex'));
  }
}

function checkFrontend(type: number, body: Buffer): void {
  for (const awaiting of AWAITING) {
    const decoded = attempt(() => decodeFrontend(type, body, awaiting));
    if ('code' in decoded || decoded.result.kind === 'unknown') continue;
    const frame = encodeFrontend(decoded.result);
    // Everything a client says reads one way and is written one way, so nothing can hide between the two.
    assert.equal(frame.toString('hex', 5), body.toString('hex'));
    assert.equal(frame[0], type);
  }
}

function checkBackend(type: number, body: Buffer): void {
  const decoded = attempt(() => decodeBackend(type, body));
  if ('code' in decoded || decoded.result.kind === 'unknown') return;
  const frame = encodeBackend(decoded.result);
  assert.deepEqual(decodeBackend(frame[0]!, frame.subarray(5)), decoded.result);
}

function checkStartup(bytes: Buffer): void {
  const scan = (chunks: readonly Buffer[]) =>
    attempt(() => {
      const scanner = new StartupScanner();
      const packets: unknown[] = [];
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length;) {
          const found = scanner.push(chunk, at);
          if (found === undefined) break;
          packets.push(found.packet);
          assert.ok(found.end > at);
          at = found.end;
          if (found.packet.kind === 'unsupportedProtocol') continue;
          const again = new StartupScanner().push(encodeStartupPacket(found.packet));
          assert.deepEqual(again?.packet, found.packet);
        }
      }
      return packets;
    });
  assert.deepEqual(scan(pieces(bytes)), scan([bytes]));
}
