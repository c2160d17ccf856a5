import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { postgresResource, runToEnd, startSallyport, startTarget } from '../harness/index.mjs';
import type { Sallyport, Target } from '../harness/index.mjs';
import { PREPARE } from './driver/both-ways.js';
import { ADMIN_ENV, ALLOW_ALL, directRoute, edgeRoute, freshDatabase, PROFILES, RESOURCE } from './driver/routes.js';
import type { Endpoint, Route } from './driver/session.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = join(HERE, '../../.cache/conformance');
const PYTHON = process.env.SALLYPORT_TEST_PYTHON ?? join(CACHE, 'venv/bin/python');
const JDBC_JAR = process.env.SALLYPORT_TEST_JDBC_JAR ?? join(CACHE, 'postgresql.jar');
const NEEDS_SETUP = 'run test/conformance/setup.sh';

interface Client {
  readonly name: string;
  /** What it can't run without, in words; undefined when it is all there. */
  missing(): string | undefined;
  command(
    endpoint: Endpoint,
    scratch: string,
  ): Promise<{
    readonly program: string;
    readonly args: readonly string[];
    readonly env?: Record<string, string>;
    readonly input?: string;
  }>;
}

/** Roles have names of one length, so that what is laid out by width stays comparable. */
const ROLE = /sallyport_[a-z0-9]{10}_[0-9a-f]{32}/g;

const script = (client: string, file: string): string => join(HERE, 'clients', client, file);
const dsn = ({ host, port, user, password, database }: Endpoint): string =>
  `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}

function python(name: string): Client {
  return {
    name,
    missing: () => (existsSync(PYTHON) ? undefined : `${PYTHON} with ${name}: ${NEEDS_SETUP}`),
    command: async (endpoint) => ({
      program: PYTHON,
      args: [script(name, 'scenario.py'), dsn(endpoint)],
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
  };
}

const CLIENTS: readonly Client[] = [
  {
    name: 'psql',
    missing: () => (onPath('psql') ? undefined : 'psql'),
    command: async ({ host, port, user, password, database }) => ({
      program: 'sh',
      // What goes to either stream stays in the order in which it came.
      args: ['-c', `exec psql -X -a -v ON_ERROR_STOP=0 -f "$0" 2>&1`, script('psql', 'scenario.sql')],
      env: { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database, PGCLIENTENCODING: 'UTF8' },
      input: '3,three\n4,four\n',
    }),
  },
  {
    name: 'node-postgres',
    missing: () => undefined,
    command: async (endpoint) => ({
      program: process.execPath,
      args: ['--no-deprecation', script('node-postgres', 'scenario.mjs'), dsn(endpoint)],
    }),
  },
  {
    name: 'libpq',
    missing: () => (onPath('gcc') && existsSync('/usr/include/postgresql/libpq-fe.h') ? undefined : 'gcc and libpq-dev'),
    command: async (endpoint, scratch) => {
      const program = join(scratch, 'scenario');
      await runToEnd('gcc', ['-I/usr/include/postgresql', '-o', program, script('libpq', 'scenario.c'), '-lpq']);
      return { program, args: [dsn(endpoint)] };
    },
  },
  python('psycopg'),
  python('asyncpg'),
  python('sqlalchemy'),
  {
    name: 'jdbc',
    missing: () => (!onPath('java') ? 'java' : existsSync(JDBC_JAR) ? undefined : `${JDBC_JAR}: ${NEEDS_SETUP}`),
    command: async ({ host, port, user, password, database }) => ({
      program: 'java',
      args: ['-cp', JDBC_JAR, script('jdbc', 'Scenario.java'), `jdbc:postgresql://${host}:${port}/${database}`, user, password],
    }),
  },
];

describe('Clients nobody here wrote, under allow-all', () => {
  let target: Target;
  let up: Sallyport;
  let scratch: string;

  beforeAll(async () => {
    target = await startTarget({ database: 'postgres' });
    scratch = await mkdtemp(join(tmpdir(), 'sallyport-clients-'));
    await freshDatabase(target, RESOURCE, PREPARE);
    up = await startSallyport({
      resources: [postgresResource({ name: RESOURCE, target, database: RESOURCE, adminEnv: ADMIN_ENV, profiles: PROFILES })],
      grants: ALLOW_ALL,
      env: { [ADMIN_ENV]: target.url(RESOURCE) },
    });
  }, 300_000);

  afterAll(async () => {
    await up?.stop();
    await target?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  async function run(client: Client, route: Route): Promise<readonly string[]> {
    const { endpoint, release } = await route.admit();
    try {
      const { program, args, env, input } = await client.command(endpoint, scratch);
      const ended = await runToEnd(program, args, {
        env: { ...process.env, ...env },
        anyCode: true,
        ...(input === undefined ? {} : { input }),
      });
      const text = `${ended.stdout}${ended.stderr === '' ? '' : `\nstderr\n${ended.stderr}`}\nexit code ${ended.code}`;
      return text
        .replaceAll(ROLE, 'ROLE')
        .replaceAll(`${endpoint.host}:${endpoint.port}`, 'HOST:PORT')
        .replaceAll(`port ${endpoint.port}`, 'port PORT')
        .replaceAll(/(server process with PID) \d+/g, '$1 N')
        .split('\n');
    } finally {
      await release();
    }
  }

  test.each(CLIENTS)(
    'P8: $name gets through the edge what it gets from the server',
    async (client) => {
      const missing = client.missing();
      if (missing !== undefined) throw new Error(`${client.name} can't be run: there is no ${missing}`);
      const straight = await directRoute(target, RESOURCE);
      const direct = await run(client, straight);
      await straight.close();
      await freshSequences(target);
      const edge = await run(client, edgeRoute(up));
      await freshSequences(target);
      // That it ran to its end at all. psql ends with 2 when its connection is gone.
      expect(direct.length).toBeGreaterThan(15);
      expect(direct.at(-1)).toBe(`exit code ${client.name === 'psql' ? 2 : 0}`);
      expect(edge).toEqual(direct);
    },
    180_000,
  );
});

/** What a client leaves behind is the same for the next one. */
async function freshSequences(target: Target): Promise<void> {
  await target.query('TRUNCATE counted RESTART IDENTITY; DROP TABLE IF EXISTS books, authors', undefined, RESOURCE);
}
