/** Zigzag varints of the record format, for whole numbers that a double holds exactly. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Returns the offset behind it. */
export function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = zigzag(value);
  while (rest >= 0x80) {
    into[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[at++] = rest;
  return at;
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

const LONGEST_VARINT = 10;
const LONGEST_INT = 5;

/** Reads one thing after the other, and throws a RangeError rather than read behind the end. */
export class VarintReader {
  constructor(
    private readonly bytes: Buffer,
    private at: number,
  ) {}

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let n = 0; n < LONGEST_VARINT; n++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 0x80;
    }
    throw new RangeError('a varint does not end');
  }

  /**
   * Of 32 bits, as the broker reads lengths, counts and offsets: what a fifth byte has above them does not count. Who read it otherwise
   * than the broker does would stop at a record that the broker took.
   */
  int(): number {
    let value = 0;
    for (let n = 0; n < LONGEST_INT; n++) {
      const byte = this.byte();
      value |= (byte & 0x7f) << (7 * n);
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new RangeError('a varint does not end');
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError('the bytes end too soon');
    return this.bytes[this.at++]!;
  }

  /** Of a length that stands before them; below 0 is null. */
  chunk(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError('the bytes end too soon');
    const chunk = this.bytes.subarray(this.at, end);
    this.at = end;
    return chunk;
  }
}
