import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEmbeddedPostgres } from '@sallyport/adapter-embedded-postgres';
import { type Config, resolveSecret } from '@sallyport/config';
import { Client } from 'pg';
import { writeWhole } from './process.js';

export interface ReadModels {
  /** `postgres://…`. Secret. */
  readonly url: string;
  /** Of an embedded server: resolves when it has ended. */
  readonly died?: Promise<Error>;
  stop(): Promise<void>;
}

type Where = Pick<Config, 'data' | 'store'>;

const STOP_NOTHING = { stop: async () => undefined };
/** How long a service waits for the projector to start the embedded server of the data directory. */
export const SHARED_STORE_TIMEOUT_MS = 30_000;
const POLL_MS = 200;

/** The database of the read models: one that is named, or an embedded one in the data directory, started here. */
export async function readModels({ data, store }: Where, baseDir: string, env: NodeJS.ProcessEnv): Promise<ReadModels> {
  if (store.kind === 'postgres') return { url: resolveSecret(store.url, { env, baseDir }), ...STOP_NOTHING };
  const before = await readUrl(data);
  // The projector of this data directory has started it, and this is another one.
  if (before && (await answers(before))) return { url: before.href, ...STOP_NOTHING };
  const start = (port?: number) =>
    startEmbeddedPostgres({
      dataDir: join(data, 'store'),
      database: 'sallyport',
      persistent: true,
      // The same place as last time: a console that is connected finds it again.
      ...(before ? { superuserPassword: decodeURIComponent(before.password) } : {}),
      ...(port === undefined ? {} : { port }),
    });
  const server = await start(before && Number(before.port)).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EMBEDDED_POSTGRES_PORT') throw error;
    return start();
  });
  const url = server.url('sallyport');
  await writeWhole(urlFile(data), `${url}\n`);
  return {
    url,
    died: server.exited.then(() => new Error('the embedded PostgreSQL of the read models ended')),
    stop: () => server.stop(),
  };
}

/** The same for a service beside the projector: an embedded server is the projector's to start. */
export async function sharedReadModels({ data, store }: Where, baseDir: string, env: NodeJS.ProcessEnv): Promise<ReadModels> {
  if (store.kind === 'postgres') return { url: resolveSecret(store.url, { env, baseDir }), ...STOP_NOTHING };
  for (const end = Date.now() + SHARED_STORE_TIMEOUT_MS; Date.now() < end; await pause(POLL_MS)) {
    const url = await readUrl(data);
    if (url && (await answers(url))) return { url: url.href, ...STOP_NOTHING };
  }
  throw new Error(`store: embedded is started by the projector of ${data}, and there is none: start it, or name a store: { postgres: … }`);
}

const urlFile = (data: string): string => join(data, 'store.url');

async function readUrl(data: string): Promise<URL | undefined> {
  const text = await readFile(urlFile(data), 'utf8').catch(() => undefined);
  return text === undefined || !URL.canParse(text.trim()) ? undefined : new URL(text.trim());
}

async function answers(url: URL): Promise<boolean> {
  const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 1000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
