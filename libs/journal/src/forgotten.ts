import fs from 'node:fs';
import { join } from 'node:path';
import { crc32c } from './crc32c.js';
import type { Disk } from './disk.js';

const FILE = 'forgotten';
const BYTES = 12;

/**
 * Up to where the owner is done, kept in one small file so that a restart doesn't repeat much. Written in place and not synced:
 * after a power cut it may be older than it was, or unreadable, and then only more is done again.
 */
export class ForgottenMark {
  constructor(
    private readonly fd: number,
    private readonly disk: Disk,
    public before: number,
  ) {}

  async move(before: number): Promise<void> {
    this.before = before;
    const bytes = Buffer.alloc(BYTES);
    bytes.writeBigUInt64BE(BigInt(before), 0);
    bytes.writeUInt32BE(crc32c(bytes, 0, 8), 8);
    // A full disk can't refuse it: the bytes are there since the file was made. Any other trouble costs a repetition.
    await this.disk.write(this.fd, bytes, 0).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.disk.close(this.fd);
  }
}

/** Bounded by what there is. */
export async function readForgotten(directory: string, first: number, end: number, disk: Disk): Promise<ForgottenMark> {
  const fd = await disk.open(join(directory, FILE), fs.constants.O_CREAT | fs.constants.O_RDWR);
  const bytes = await disk.read(fd, BYTES, 0);
  const holds = bytes.length === BYTES && crc32c(bytes, 0, 8) === bytes.readUInt32BE(8);
  const marked = holds ? Number(bytes.readBigUInt64BE(0)) : first;
  return new ForgottenMark(fd, disk, Math.min(Math.max(marked, first), end));
}
