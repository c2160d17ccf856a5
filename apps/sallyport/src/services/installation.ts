import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, type Env, resolveSecret } from '@sallyport/config';

const MASK_KEY_MIN_CHARS = 32;

export class InstallationError extends Error {
  readonly code = 'INSTALLATION_MASK_KEY';
}

/** What is made once for a data directory and stays: names and secrets of this installation. */
export interface Installation {
  /** In the name of every role that the vendor makes. */
  readonly id: string;
  /** Key of hashed mask values. */
  readonly maskKey: Buffer;
  /** Signs in whoever may read the data directory, as the local operator. */
  readonly operatorToken: string;
}

/** Makes the data directory (mode 0700) and what belongs to it, on first use. What the configuration says is the same on every machine. Throws SecretError. */
export async function installationOf(
  config: Pick<Config, 'data' | 'installation'>,
  sources: { readonly env: Env; readonly baseDir: string },
): Promise<Installation> {
  const dataDir = config.data;
  await mkdir(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
  await chmod(dataDir, 0o700);
  const [id, maskKey, operatorToken] = await Promise.all([
    once(join(dataDir, 'installation'), () => randomBytes(5).toString('hex')),
    once(join(dataDir, 'keys', 'mask.key'), () => randomBytes(32).toString('base64')),
    once(join(dataDir, 'operator.token'), () => `spo_${randomBytes(32).toString('base64url')}`),
  ]);
  if (!config.installation) return { id, maskKey: Buffer.from(maskKey, 'base64'), operatorToken };
  const shared = resolveSecret(config.installation.maskKey, sources);
  if (shared.length < MASK_KEY_MIN_CHARS)
    throw new InstallationError(`installation.maskKey must have at least ${MASK_KEY_MIN_CHARS} characters`);
  return { id: config.installation.id, maskKey: Buffer.from(shared), operatorToken };
}

/** Whole or not at all, and never over what is there. */
async function once(path: string, make: () => string): Promise<string> {
  const read = async (): Promise<string | undefined> => {
    try {
      return (await readFile(path, 'utf8')).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const there = await read();
  if (there) return there;
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${make()}\n`, { mode: 0o600, flush: true });
  await link(temporary, path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  await unlink(temporary);
  return (await read())!;
}
