import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startEmbeddedPostgres } from '@sallyport/adapter-embedded-postgres';
import { Client } from 'pg';
import { SAMPLE_DIR } from '../services/settings.js';

export interface Sample {
  readonly config: { readonly text: string; readonly baseDir: string };
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** For whoever starts without a configuration: an embedded PostgreSQL with a small shop, grants for it, and free loopback ports. Persistent: the shop's data stay. */
export async function startSample(dataDir: string, persistent: boolean): Promise<Sample> {
  // The server runs as another user when this one is root: it has to see the directory's mode before it decides where its files go.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'shop'), database: 'shop', persistent });
  const client = new Client({ connectionString: server.url('shop') });
  try {
    await client.connect();
    await client.query(await readFile(join(SAMPLE_DIR, 'shop.sql'), 'utf8'));
  } finally {
    await client.end();
  }
  const text = await readFile(join(SAMPLE_DIR, 'sallyport.yaml'), 'utf8');
  const ports = { POSTGRES_PORT: await freePort(), CONSOLE_PORT: await freePort(), METRICS_PORT: await freePort() };
  return {
    config: { text, baseDir: SAMPLE_DIR },
    env: {
      SHOP_ADDRESS: `${server.host}:${server.port}`,
      SHOP_ADMIN_URL: server.url('shop'),
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    },
    stop: () => server.stop(),
  };
}
