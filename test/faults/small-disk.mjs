/** A small file system of its own, to be filled, made read-only and taken away. Linux, as root. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const UNMOUNT_TRIES = 75;

/** Over an empty directory. Undefined where nobody may mount. */
export function mountSmallDisk(at, size) {
  if (process.getuid?.() !== 0) return undefined;
  const mount = (...args) => execFileSync('mount', args, { stdio: 'pipe' });
  try {
    mount('-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', at);
  } catch {
    return undefined;
  }
  const filler = join(at, 'filler');
  return {
    at,
    /** To the last byte. */
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (let bytes = 2 ** 20; bytes >= 1;) {
          try {
            writeSync(file, Buffer.alloc(bytes));
          } catch (error) {
            if (error.code !== 'ENOSPC') throw error;
            bytes = Math.floor(bytes / 2);
          }
        }
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(filler, { force: true }),
    /** Nobody may have a file open for writing. */
    readOnly: (isReadOnly) => mount('-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, at),
    /** Waits for the last process to let go of it. */
    async unmount() {
      for (let n = 1; ; n++) {
        try {
          return execFileSync('umount', [at], { stdio: 'pipe' });
        } catch (error) {
          if (n === UNMOUNT_TRIES) throw error;
          await sleep(200);
        }
      }
    },
  };
}
