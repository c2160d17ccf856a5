import fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const write = promisify(fs.write);
const read = promisify(fs.read);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const ftruncate = promisify(fs.ftruncate);
const open = promisify(fs.open);
const close = promisify(fs.close);

/** The calls that can fail when a disk is full or broken. A seam, so that tests can make the real ones fail. */
export interface Disk {
  open(path: string, flags: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** All of `bytes`, however many calls it takes. */
  write(fd: number, bytes: Uint8Array, position: number): Promise<void>;
  /** Up to the end of the file. */
  read(fd: number, bytes: number, position: number): Promise<Buffer>;
  sync(fd: number): Promise<void>;
  truncate(fd: number, bytes: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/** One write that is synced when it returns costs half of a write and a sync. Only Linux gives it the meaning we need. */
export const SYNCED_WRITES = process.platform === 'linux' ? fs.constants.O_DSYNC : undefined;

export const realDisk: Disk = {
  open: (path, flags) => open(path, flags, FILE_MODE),
  close: (fd) => close(fd),
  async write(fd, bytes, position) {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await write(fd, bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  },
  async read(fd, bytes, position) {
    const buffer = Buffer.allocUnsafeSlow(bytes);
    let done = 0;
    while (done < bytes) {
      const { bytesRead } = await read(fd, buffer, done, bytes - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done === bytes ? buffer : buffer.subarray(0, done);
  },
  sync: (fd) => fdatasync(fd),
  truncate: (fd, bytes) => ftruncate(fd, bytes),
  rename: (from, to) => fs.promises.rename(from, to),
  unlink: (path) => fs.promises.rm(path, { force: true }),
  async syncDirectory(path) {
    const fd = await open(path, fs.constants.O_RDONLY);
    try {
      await fsync(fd);
    } finally {
      await close(fd);
    }
  },
};

const ZEROS = Buffer.alloc(2 ** 20);

/** Real blocks, not a hole: a later write there neither runs out of room nor drags the file's metadata into its sync. */
export async function fillWithZeros(disk: Disk, fd: number, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += ZEROS.length) await disk.write(fd, ZEROS.subarray(0, Math.min(ZEROS.length, to - at)), at);
  await disk.sync(fd);
}

const SEGMENT_NAME = /^(\d{20})\.segment$/;

export function segmentFile(base: number): string {
  return `${String(base).padStart(20, '0')}.segment`;
}

/** Segment files in order, by name alone. */
export async function listSegments(
  directory: string,
): Promise<readonly { readonly base: number; readonly file: string; readonly path: string }[]> {
  const names = await fs.promises.readdir(directory);
  return names
    .filter((name) => SEGMENT_NAME.test(name))
    .sort()
    .map((file) => ({ base: Number(file.slice(0, 20)), file, path: join(directory, file) }));
}
