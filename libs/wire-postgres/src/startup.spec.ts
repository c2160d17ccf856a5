import * as fc from 'fast-check';

import {
  decodeStartupPacket,
  encodeStartupPacket,
  isDirectTls,
  MAX_STARTUP_PACKET_BYTES,
  type StartupPacket,
  StartupScanner,
} from './startup.js';

const text = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value);
const name = text.filter((value) => value !== '');
const secret = fc.uint8Array({ minLength: 4, maxLength: 256 }).map((value) => Buffer.from(value));

const packet: fc.Arbitrary<Exclude<StartupPacket, { kind: 'unsupportedProtocol' }>> = fc.oneof(
  fc.constantFrom({ kind: 'sslRequest' as const }, { kind: 'gssEncRequest' as const }),
  fc.record({ kind: fc.constant('cancelRequest' as const), processId: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), secret }),
  fc.record({
    kind: fc.constant('startupMessage' as const),
    protocol: fc.record({ major: fc.constant(3), minor: fc.constantFrom(0, 2, 9999) }),
    parameters: fc.array(fc.tuple(name, text), { maxLength: 6 }).map((pairs) => new Map(pairs)),
  }),
);

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

const int32 = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => buffer.writeInt32BE(value, i * 4));
  return buffer;
};

describe('startup packets', () => {
  it('round trip, cut anywhere, and say where they end', () => {
    fc.assert(
      fc.property(packet, fc.array(fc.nat(), { maxLength: 5 }), fc.uint8Array({ maxLength: 5 }), (sent, cuts, behind) => {
        const encoded = encodeStartupPacket(sent);
        const stream = Buffer.concat([encoded, behind]);
        const at = [0, ...cuts.map((cut) => cut % encoded.length), stream.length].sort((a, b) => a - b);
        const scanner = new StartupScanner();
        for (const [i, stop] of at.slice(1).entries()) {
          const found = scanner.push(stream.subarray(at[i], stop));
          if (found === undefined) continue;
          expect(found.packet).toEqual(sent);
          expect(at[i]! + found.end).toBe(encoded.length);
          return;
        }
        throw new Error('no packet');
      }),
    );
  });

  it('reads the packets of libpq', () => {
    expect(decodeStartupPacket(int32(80877103))).toEqual({ kind: 'sslRequest' });
    expect(decodeStartupPacket(int32(80877104))).toEqual({ kind: 'gssEncRequest' });
    const body = Buffer.concat([int32(0x0003_0002), Buffer.from('user\0ann\0_pq_.x\0on\0user\0bob\0\0')]);
    const parameters = new Map([
      ['user', 'bob'],
      ['_pq_.x', 'on'],
    ]);
    expect(decodeStartupPacket(body)).toEqual({ kind: 'startupMessage', protocol: { major: 3, minor: 2 }, parameters });
    expect(decodeStartupPacket(int32(0x0002_0000))).toEqual({ kind: 'unsupportedProtocol', protocol: { major: 2, minor: 0 } });
  });

  it('knows direct TLS by its first byte, which no packet within the limit has', () => {
    expect(isDirectTls(0x16)).toBe(true);
    expect(isDirectTls(encodeStartupPacket({ kind: 'sslRequest' })[0]!)).toBe(false);
    expect(codeOf(() => new StartupScanner().push(Buffer.from('1603010200', 'hex')))).toBe('WIRE_FRAME_TOO_LARGE');
  });

  it('P9: refuses a length over the limit before anything more is held', () => {
    const scanner = new StartupScanner();
    expect(codeOf(() => scanner.push(int32(MAX_STARTUP_PACKET_BYTES + 5)))).toBe('WIRE_FRAME_TOO_LARGE');
    expect(scanner.heldBytes).toBe(4);
    const most = new StartupScanner();
    expect(most.push(int32(MAX_STARTUP_PACKET_BYTES + 4))).toBeUndefined();
    expect(codeOf(() => most.push(Buffer.alloc(MAX_STARTUP_PACKET_BYTES)))).toBeUndefined();
    expect(codeOf(() => new StartupScanner(20).push(int32(25)))).toBe('WIRE_FRAME_TOO_LARGE');
  });

  it.each([7, 4, 0, -1])('refuses the length %d', (length) => {
    expect(codeOf(() => new StartupScanner().push(int32(length)))).toBe('WIRE_FRAME_LENGTH');
  });

  it.each<[string, Buffer]>([
    ['an SSLRequest with more', int32(80877103, 0)],
    ['a cancel key of three bytes', Buffer.concat([int32(80877102, 1), Buffer.alloc(3)])],
    ['a cancel key of 257 bytes', Buffer.concat([int32(80877102, 1), Buffer.alloc(257)])],
    ['parameters without their end', Buffer.concat([int32(0x0003_0000), Buffer.from('user\0ann\0')])],
    ['a name without a value', Buffer.concat([int32(0x0003_0000), Buffer.from('user\0\0')])],
    ['bytes behind the end', Buffer.concat([int32(0x0003_0000), Buffer.from('\0x')])],
  ])('refuses %s', (_what, body) => {
    expect(codeOf(() => decodeStartupPacket(body))).toBe('WIRE_MESSAGE_MALFORMED');
  });

  it('P9: random bytes end in a packet or a coded error', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(80877102, 80877103, 80877104, 0x0003_0000, 0x0003_0002, 0),
        fc.uint8Array({ maxLength: 300 }),
        (code, rest) => {
          const thrown = codeOf(() => decodeStartupPacket(Buffer.concat([int32(code), rest])));
          expect([undefined, 'WIRE_MESSAGE_MALFORMED', 'WIRE_TEXT_NOT_UTF8']).toContain(thrown);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
