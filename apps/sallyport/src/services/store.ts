import { join } from 'node:path';
import { startEmbeddedPostgres } from '@sallyport/adapter-embedded-postgres';
import { type Config, resolveSecret } from '@sallyport/config';

export interface ReadModels {
  /** `postgres://…`. Secret. */
  readonly url: string;
  /** Of an embedded server: resolves when it has ended. */
  readonly died?: Promise<Error>;
  stop(): Promise<void>;
}

/** The database of the read models: one that is named, or an embedded one in the data directory. */
export async function readModels(config: Config, baseDir: string, env: NodeJS.ProcessEnv): Promise<ReadModels> {
  if (config.store.kind === 'postgres') return { url: resolveSecret(config.store.url, { env, baseDir }), stop: async () => undefined };
  const server = await startEmbeddedPostgres({ dataDir: join(config.data, 'store'), database: 'sallyport', persistent: true });
  return {
    url: server.url('sallyport'),
    died: server.exited.then(() => new Error('the embedded PostgreSQL of the read models ended')),
    stop: () => server.stop(),
  };
}
