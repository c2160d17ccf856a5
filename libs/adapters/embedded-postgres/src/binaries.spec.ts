import { execFile } from 'node:child_process';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { findBinaries, platformPackage } from './binaries.js';
import { canReach } from './os-user.js';

const NOBODY = { uid: 65_534, gid: 65_534 };
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

let base: string;

beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'sallyport-binaries-spec-'));
  await chmod(base, 0o755);
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

describe('findBinaries', () => {
  it('makes the links that npm left out', async () => {
    const installed = await platformPackage();
    const root = path.join(base, 'package');
    await cp(installed.root, root, { recursive: true, verbatimSymlinks: true });
    const links = JSON.parse(await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const link of links) await rm(path.join(root, link.target), { force: true });
    const found = await findBinaries(null, { root, version: installed.version });
    expect((await promisify(execFile)(found.postgres, ['--version'])).stdout).toContain('18.4');
    for (const link of links) expect((await lstat(path.join(root, link.target))).isSymbolicLink()).toBe(true);
  });
});

asRoot('findBinaries as root, installed where the other user cannot go', () => {
  async function closedCopy() {
    const installed = await platformPackage();
    await mkdir(path.join(base, 'closed'), { mode: 0o700 });
    const root = path.join(base, 'closed', 'package');
    await cp(installed.root, root, { recursive: true, verbatimSymlinks: true });
    return { root, version: installed.version };
  }

  it('copies them to a cache that only root can write, once', async () => {
    const installed = await closedCopy();
    const [one, two] = await Promise.all([findBinaries(NOBODY, installed, [base]), findBinaries(NOBODY, installed, [base])]);
    expect(one).toEqual(two);
    expect(one?.postgres.startsWith(path.join(base, 'sallyport-postgres-0'))).toBe(true);
    expect(await canReach(one?.postgres ?? '', NOBODY)).toBe(true);
    expect((await stat(one?.postgres ?? '')).mode & 0o022).toBe(0);
    const { stdout } = await promisify(execFile)(one?.postgres ?? '', ['--version'], { ...NOBODY, cwd: '/' });
    expect(stdout).toContain('18.4');
  });

  it.each([
    ["another user's directory", async (dir: string) => chown(dir, NOBODY.uid, NOBODY.gid)],
    ['a directory that others can write', async (dir: string) => chmod(dir, 0o777)],
    [
      'a link',
      async (dir: string) => {
        await rm(dir, { recursive: true });
        await symlink('/tmp', dir);
      },
    ],
  ])('refuses %s under the name of the cache', async (_what, plant) => {
    const dir = path.join(base, 'sallyport-postgres-0');
    await mkdir(dir, { mode: 0o755 });
    await plant(dir);
    await expect(findBinaries(NOBODY, await closedCopy(), [base])).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_BINARIES' });
  });
});
