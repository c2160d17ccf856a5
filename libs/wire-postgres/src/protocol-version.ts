/** In a startup packet: Int32 with the major version in the upper half and the minor one in the lower. */
export interface ProtocolVersion {
  readonly major: number;
  readonly minor: number;
}

export function fromVersionNumber(number: number): ProtocolVersion {
  return { major: (number >>> 16) & 0xffff, minor: number & 0xffff };
}

export function toVersionNumber(version: ProtocolVersion): number {
  return (version.major << 16) | version.minor;
}
