import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { EmbeddedPostgresError } from './errors.js';

/** PostgreSQL refuses to run as root, so root lends it to another user. Null: run as who we are. */
export type OsUser = { readonly uid: number; readonly gid: number } | null;

const CANDIDATES = ['postgres', '_postgres', 'nobody'] as const;

async function id(flag: '-u' | '-g', name: string): Promise<number> {
  const { stdout } = await promisify(execFile)('id', [flag, name]);
  return Number(stdout.trim());
}

/** `dataDir`'s owner when it exists and isn't root (a restart keeps its user), else the first of the usual users that exists. */
export async function serverUser(dataDir: string): Promise<OsUser> {
  if (process.getuid?.() !== 0) return null;
  const owned = await stat(dataDir).catch(() => null);
  if (owned && owned.uid !== 0) return { uid: owned.uid, gid: owned.gid };
  for (const name of CANDIDATES) {
    try {
      return { uid: await id('-u', name), gid: await id('-g', name) };
    } catch {
      // The next candidate.
    }
  }
  throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', `as root, one of the users ${CANDIDATES.join(', ')} must exist`);
}

/** Whether `user` may walk down to `target` and read (and, for a directory, enter) it. Follows the mode bits only, not ACLs. */
export async function canReach(target: string, user: OsUser): Promise<boolean> {
  if (user === null) return true;
  const steps = path.resolve(target).split(path.sep);
  for (let depth = 1; depth <= steps.length; depth += 1) {
    const at = steps.slice(0, depth).join(path.sep) || path.sep;
    const info = await stat(at).catch(() => null);
    // What isn't there yet will be made by us, for the user.
    if (info === null) return true;
    const shift = info.uid === user.uid ? 6 : info.gid === user.gid ? 3 : 0;
    const needed = depth === steps.length ? (info.isDirectory() ? 0b101 : 0b100) : 0b001;
    if (((info.mode >> shift) & needed) !== needed) return false;
  }
  return true;
}
