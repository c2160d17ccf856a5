import { DataSource } from 'typeorm';
import type { EntityManager, QueryRunner } from 'typeorm';
import { TABLES } from './entities.js';
import { storeError, StoreError } from './errors.js';
import type { StoreLimits } from './limits.js';
import { ReadModel1767312000000 } from './migrations/1767312000000-read-model.js';
import { Revocations1767398400000 } from './migrations/1767398400000-revocations.js';

/** Unquoted it is itself, and with a suffix it still fits into 63 bytes. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,47}$/;

/** The tables as they came to be. */
export const MIGRATIONS = [ReadModel1767312000000, Revocations1767398400000];

/** What is locked by name, one holder at a time, on all connections to the database. */
export type LockName = 'migrate' | 'ingest' | 'rebuild';

/** SQL for the key of an advisory lock. */
export function lockKey(name: LockName, schema: string): string {
  return `hashtextextended('sallyport-store:${name}:${schema}', 0)`;
}

/** A connected data source whose tables are there and up to date. Rejects with a {@link StoreError}. */
export async function connect(url: string, schema: string, limits: StoreLimits): Promise<DataSource> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) throw new StoreError('STORE_OPTION', 'the URL must be postgres://…');
  if (!SCHEMA_NAME.test(schema)) {
    throw new StoreError('STORE_OPTION', 'a schema name is up to 48 of the characters a-z 0-9 _ and starts with a letter');
  }
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    schema,
    entities: TABLES.map(({ entity }) => entity),
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    synchronize: false,
    migrationsRun: false,
    logging: false,
    installExtensions: false,
    poolSize: limits.maxConnections,
    connectTimeoutMS: limits.connectTimeoutMs,
    applicationName: 'sallyport-store',
    // An idle connection that breaks is replaced when it is needed.
    poolErrorHandler: () => {},
    extra: {
      keepAlive: true,
      statement_timeout: limits.statementTimeoutMs,
      idle_in_transaction_session_timeout: limits.statementTimeoutMs,
    },
  });
  try {
    await dataSource.initialize();
    await migrate(dataSource, schema);
    return dataSource;
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy().catch(() => {});
    throw storeError(error);
  }
}

async function migrate(dataSource: DataSource, schema: string): Promise<void> {
  await locked(dataSource, 'migrate', schema, async (runner) => {
    // Creating what is there asks for a right that a role with only its own schema hasn't got.
    const there = (await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])) as unknown[];
    if (there.length === 0) await runner.query(`CREATE SCHEMA "${schema}"`);
    await dataSource.runMigrations({ transaction: 'all' });
  });
}

/** Holds a lock, waiting for it, while `work` runs. Its connection's end frees it too. */
async function locked(dataSource: DataSource, name: LockName, schema: string, work: (runner: QueryRunner) => Promise<void>): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`SELECT pg_advisory_lock(${lockKey(name, schema)})`);
    try {
      await work(runner);
    } finally {
      await runner.query(`SELECT pg_advisory_unlock(${lockKey(name, schema)})`).catch(() => {});
    }
  } finally {
    await runner.release();
  }
}

/** One transaction on one connection. Rejects with a {@link StoreError}; then nothing of it is there. */
export async function transaction<T>(
  dataSource: DataSource,
  work: (runner: QueryRunner, manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    try {
      const result = await work(runner, runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // A connection that is gone has rolled back already.
      if (runner.isTransactionActive && !runner.isReleased) await runner.rollbackTransaction().catch(() => {});
      throw error;
    }
  } catch (error) {
    throw storeError(error);
  } finally {
    await runner.release().catch(() => {});
  }
}
