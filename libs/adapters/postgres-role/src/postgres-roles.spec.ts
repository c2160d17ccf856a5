import { randomBytes } from 'node:crypto';

import { type TestPostgres, testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import type { LeaseOrder, LeaseSource, PostgresSecret } from '@sallyport/lease';
import { Client } from 'pg';

import { postgresRoles, type PostgresRolesOptions } from './postgres-roles.js';

let server: TestPostgres;
const sources: LeaseSource[] = [];
const clients: Client[] = [];

const newId = () => randomBytes(16).toString('hex');

const PROFILES = {
  reader: ['SELECT ON ALL TABLES IN SCHEMA public'],
  writer: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public'],
  builder: ['CREATE, USAGE ON SCHEMA public', 'CREATE ON DATABASE test'],
  clerk: ['ROLE clerk'],
};

async function source(options: Partial<PostgresRolesOptions> = {}): Promise<LeaseSource> {
  const made = await postgresRoles({
    resource: 'shop',
    adminUrl: server.url(),
    database: 'test',
    databases: ['other'],
    profiles: PROFILES,
    ttlMs: 60_000,
    installation: 'spec',
    ...options,
  });
  sources.push(made);
  return made;
}

function request(profiles: readonly string[], more: Partial<LeaseOrder> = {}): LeaseOrder {
  return {
    session: 's-1',
    resource: 'shop',
    subject: "agent's",
    profiles,
    notAfterMs: Date.now() + 3_600_000,
    publicKey: { kty: 'EC' },
    ...more,
  };
}

async function issue(from: LeaseSource, profiles: readonly string[], more: Partial<LeaseOrder> = {}) {
  const asked = request(profiles, more);
  const lease = from.plan(newId(), asked);
  return { lease, secret: await from.create(lease, asked) };
}

async function signIn(secret: PostgresSecret, database = 'test'): Promise<Client> {
  const client = new Client({ host: server.host, port: server.port, database, user: secret.user, password: secret.password });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

async function exists(role: string): Promise<boolean> {
  return (await server.query('SELECT FROM pg_roles WHERE rolname = $1', [role])).rowCount === 1;
}

async function ownerOf(table: string): Promise<string | undefined> {
  return (await server.query<{ o: string }>('SELECT pg_get_userbyid(relowner) AS o FROM pg_class WHERE oid = $1::regclass', [table]))
    .rows[0]?.o;
}

async function freshAdmin(name: string): Promise<string> {
  await server.query(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD 'admin-pw'`);
  const url = new URL(server.url());
  url.username = name;
  url.password = 'admin-pw';
  return url.href;
}

beforeAll(async () => {
  server = await testPostgres({ settings: { log_statement: 'all', log_connections: 'all', max_connections: '60' } });
  await server.query(`
    CREATE TABLE customers (id int, email text); INSERT INTO customers VALUES (1, 'a@b.c');
    CREATE TABLE secrets (v text);
    CREATE ROLE clerk NOLOGIN; GRANT INSERT ON customers TO clerk;`);
  await server.query('CREATE DATABASE other');
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  await Promise.all(sources.splice(0).map((each) => each.close()));
});

afterAll(async () => server.stop());

describe('a role for each session', () => {
  it('P4: has the rights of its profiles and no other, a few connections, and an end', async () => {
    const shop = await source();
    const { lease, secret } = await issue(shop, ['reader', 'clerk']);
    expect(lease).toMatchObject({ source: 'postgres-role', resource: 'shop', session: 's-1', login: `sallyport_spec_${lease.id}` });
    const client = await signIn(secret);
    expect((await client.query('SELECT email FROM customers')).rows).toEqual([{ email: 'a@b.c' }]);
    await client.query('INSERT INTO customers VALUES (2, null)');
    await expect(client.query('DELETE FROM customers')).rejects.toMatchObject({ code: '42501' });
    await expect(client.query('SET ROLE clerk')).rejects.toMatchObject({ code: '42501' });
    await expect(client.query('CREATE TABLE t (x int)')).rejects.toMatchObject({ code: '42501' });
    const { rows } = await server.query<Record<string, unknown>>(
      `SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls AS powers, rolconnlimit,
              extract(epoch FROM rolvaliduntil) * 1000 - $2::float8 AS late, shobj_description(oid, 'pg_authid')::jsonb AS comment
       FROM pg_roles WHERE rolname = $1`,
      [lease.login, lease.expiresAtMs],
    );
    expect(rows[0]).toMatchObject({
      powers: false,
      rolconnlimit: 4,
      comment: { sallyport: 's-1', subject: "agent's", resource: 'shop' },
    });
    expect(Math.abs(Number(rows[0]?.['late']))).toBeLessThan(30_000);
    await shop.drop(lease.id);
  });

  it('P3: the password is in no statement, not in pg_stat_activity and not in the log of the server', async () => {
    const shop = await source();
    const { lease, secret } = await issue(shop, ['reader']);
    const seen = await server.query<{ query: string }>('SELECT query FROM pg_stat_activity');
    const client = await signIn(secret);
    await client.query('SELECT 1');
    await shop.drop(lease.id);
    expect(seen.rows.map((row) => row.query).join('\n')).not.toContain(secret.password);
    expect(server.log()).toContain(`CREATE ROLE "${lease.login}"`);
    expect(server.log()).toContain('SCRAM-SHA-256$4096:');
    expect(server.log()).not.toContain(secret.password);
  });

  it('P4: after its end it signs in no more', async () => {
    const shop = await source({ clock: () => Date.now() });
    const asked = request(['reader'], { notAfterMs: Date.now() + 60_000 });
    const lease = shop.plan(newId(), asked);
    const secret = await shop.create(lease, asked);
    await server.query(`ALTER ROLE "${lease.login}" VALID UNTIL '2020-01-01'`);
    await expect(signIn(secret)).rejects.toMatchObject({ code: '28P01' });
    await shop.drop(lease.id);
  });

  it('P4: the end goes by the clock of the server: a vendor whose clock is wrong makes it neither longer nor shorter', async () => {
    const skewMs = 86_400_000;
    const shop = await source({ clock: () => Date.now() + skewMs, ttlMs: 60_000 });
    const { lease } = await issue(shop, ['reader'], { notAfterMs: Date.now() + skewMs + 30_000 });
    const { rows } = await server.query<{ left: number }>(
      'SELECT extract(epoch FROM rolvaliduntil - clock_timestamp())::float8 AS left FROM pg_roles WHERE rolname = $1',
      [lease.login],
    );
    expect(rows[0]?.left).toBeGreaterThan(0);
    expect(rows[0]?.left).toBeLessThanOrEqual(30);
    await shop.drop(lease.id);
  });

  it('refuses what it does not know, before anything is made', async () => {
    const shop = await source();
    const before = (await server.query('SELECT FROM pg_roles')).rowCount;
    expect(() => shop.plan(newId(), request(['nobody']))).toThrow(expect.objectContaining({ code: 'LEASE_PROFILE_UNKNOWN' }));
    expect(() => shop.plan(newId(), request([], { database: 'postgres' }))).toThrow(
      expect.objectContaining({ code: 'LEASE_REQUEST_INVALID' }),
    );
    expect(() => shop.plan(newId(), request([], { notAfterMs: Date.now() - 1 }))).toThrow(
      expect.objectContaining({ code: 'LEASE_REQUEST_INVALID' }),
    );
    expect(() => shop.plan('../x', request([]))).toThrow(expect.objectContaining({ code: 'LEASE_REQUEST_INVALID' }));
    expect((await server.query('SELECT FROM pg_roles')).rowCount).toBe(before);
  });

  it('makes nothing when one grant fails', async () => {
    const shop = await source({ profiles: { bad: ['SELECT ON customers', 'SELECT ON no_such_table'] } });
    const asked = request(['bad']);
    const lease = shop.plan(newId(), asked);
    await expect(shop.create(lease, asked)).rejects.toMatchObject({ code: 'LEASE_TARGET' });
    expect(await exists(lease.login)).toBe(false);
  });

  it('does not lend a superuser, and gives nothing to one', async () => {
    await server.query('CREATE ROLE sneaky NOLOGIN; GRANT postgres TO sneaky');
    for (const role of ['postgres', 'sneaky']) {
      const shop = await source({ profiles: { p: [`ROLE ${role}`] } });
      await expect(issue(shop, ['p'])).rejects.toMatchObject({ code: 'LEASE_CONFIG' });
    }
    await expect(issue(await source({ owner: 'postgres' }), [])).rejects.toMatchObject({ code: 'LEASE_CONFIG' });
    await expect(issue(await source({ owner: 'no_such_role' }), [])).rejects.toMatchObject({ code: 'LEASE_CONFIG' });
  });

  it('P3: no error shows the address or the password of the admin', async () => {
    const texts: string[] = [];
    const keep = (error: unknown) => texts.push(String(error), JSON.stringify(error), String((error as Error).cause));
    await source({ adminUrl: 'postgres://admin:top-secret@[bad' }).catch(keep);
    await source({ adminUrl: 'top-secret' }).catch(keep);
    for (const adminUrl of [
      'postgres://admin:top-secret@127.0.0.1:1/x',
      `postgres://postgres:top-secret@127.0.0.1:${server.port}/test`,
      'postgres://admin:top-secret@no-such-host.invalid/x',
    ]) {
      const shop = await source({ adminUrl });
      await issue(shop, ['reader']).catch(keep);
      await shop.drop(newId()).catch(keep);
      await shop.sweep(() => true).catch(keep);
    }
    expect(texts).toHaveLength(3 * 11);
    expect(texts.join('\n')).not.toMatch(/top-secret|no-such-host|127\.0\.0\.1/);
  });

  it('P4: many at once by several vendors are all made and dropped, and each end is told once', async () => {
    const vendors = await Promise.all([source(), source(), source()]);
    const issued = await Promise.all(vendors.flatMap((vendor) => Array.from({ length: 15 }, () => issue(vendor, ['reader', 'writer']))));
    // Each is dropped by all of them.
    const ended = await Promise.all(issued.map(({ lease }) => Promise.all(vendors.map((vendor) => vendor.drop(lease.id)))));
    expect(ended.map((by) => by.filter(Boolean).length)).toEqual(issued.map(() => 1));
    expect((await server.query("SELECT FROM pg_roles WHERE starts_with(rolname, 'sallyport_spec_')")).rowCount).toBe(0);
  });

  it('many at once neither collide nor deadlock', async () => {
    const [one, two] = [await source(), await source()];
    const issued = await Promise.all(Array.from({ length: 24 }, (_, i) => issue(i % 2 ? one : two, ['writer', 'clerk'])));
    await Promise.all(issued.map(async ({ lease }, i) => (i % 2 ? two : one).drop(lease.id)));
    for (const { lease } of issued) expect(await exists(lease.login)).toBe(false);
  });
});

describe('dropping it', () => {
  it('P4: ends its connections, gives away what it owns in every database, and leaves no role', async () => {
    const shop = await source();
    const { lease, secret } = await issue(shop, ['builder', 'reader']);
    const busy = await signIn(secret);
    await busy.query('CREATE TABLE made_by_agent AS SELECT 7 AS v; CREATE SCHEMA agent_schema; CREATE TABLE agent_schema.deep (x int)');
    await server.query(`GRANT CREATE ON SCHEMA public TO "${lease.login}"`, [], 'other');
    const elsewhere = await signIn(secret, 'other');
    await elsewhere.query('CREATE TABLE made_elsewhere (x int); CREATE TEMP TABLE gone (x int)');
    await elsewhere.end();
    const sleeping = busy.query('BEGIN; LOCK TABLE made_by_agent; SELECT pg_sleep(600)').catch((error: unknown) => error);
    await shop.drop(lease.id);
    expect(await sleeping).toMatchObject({ code: '57P01' });
    expect(await exists(lease.login)).toBe(false);
    expect((await server.query('SELECT FROM pg_stat_activity WHERE usename = $1', [lease.login])).rowCount).toBe(0);
    await expect(signIn(secret)).rejects.toMatchObject({ code: '28P01' });
    expect(await ownerOf('made_by_agent')).toBe('estate_of_sallyport_spec');
    expect(await ownerOf('agent_schema.deep')).toBe('estate_of_sallyport_spec');
    const other = await server.query<{ o: string }>(
      "SELECT tableowner AS o FROM pg_tables WHERE tablename = 'made_elsewhere'",
      [],
      'other',
    );
    expect(other.rows).toEqual([{ o: 'estate_of_sallyport_spec' }]);
    expect((await server.query('SELECT v FROM made_by_agent')).rows).toEqual([{ v: 7 }]);
    await shop.drop(lease.id);
  });

  it('P4: gives it to the owner that is configured', async () => {
    await server.query('CREATE ROLE app_owner NOLOGIN');
    const shop = await source({ owner: 'app_owner' });
    const { lease, secret } = await issue(shop, ['builder']);
    await (await signIn(secret)).query('CREATE TABLE for_the_owner (x int)');
    await shop.drop(lease.id);
    expect(await ownerOf('for_the_owner')).toBe('app_owner');
  });

  it('what a session left behind gives the next one no more rights than it has', async () => {
    await server.query("INSERT INTO secrets VALUES ('s3'); CREATE ROLE rich NOLOGIN; GRANT SELECT ON secrets TO rich");
    const shop = await source({ owner: 'rich' });
    const first = await issue(shop, ['builder']);
    await (
      await signIn(first.secret)
    ).query(`
      CREATE VIEW leak AS SELECT v FROM secrets; GRANT SELECT ON leak TO PUBLIC;
      CREATE FUNCTION leak_f() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT v FROM public.secrets';`);
    await shop.drop(first.lease.id);
    const next = await signIn((await issue(shop, [])).secret);
    await expect(next.query('SELECT * FROM leak')).rejects.toMatchObject({ code: '42501' });
    await expect(next.query('SELECT leak_f()')).rejects.toMatchObject({ code: '42501' });
  });

  it('is not fooled by what agents put in the database', async () => {
    const shop = await source();
    const trap = await issue(shop, ['builder']);
    await (
      await signIn(trap.secret)
    ).query(`
      CREATE TABLE public.pg_roles (rolname name, oid oid, rolsuper bool);
      CREATE FUNCTION public.starts_with(name, text) RETURNS bool LANGUAGE sql AS 'SELECT false';
      CREATE FUNCTION public.pg_terminate_backend(int) RETURNS bool LANGUAGE sql AS 'SELECT true';`);
    const victim = await issue(shop, ['reader']);
    const held = await signIn(victim.secret);
    await shop.drop(victim.lease.id);
    await expect(held.query('SELECT 1')).rejects.toBeDefined();
    const orphan = await issue(shop, ['reader']);
    expect((await shop.sweep((id) => id === trap.lease.id)).swept.map((each) => each.id)).toContain(orphan.lease.id);
    await shop.drop(trap.lease.id);
    await server.query('DROP TABLE public.pg_roles; DROP FUNCTION public.starts_with; DROP FUNCTION public.pg_terminate_backend');
  });

  it('waits for a creation that is under way', async () => {
    const shop = await source();
    const asked = request(['reader']);
    const lease = shop.plan(newId(), asked);
    const created = shop.create(lease, asked);
    await Promise.all([shop.drop(lease.id), created]);
    expect(await exists(lease.login)).toBe(false);
  });

  it('P9: one that hangs holds up nobody else, and ends within its bounds', async () => {
    const shop = await source({ limits: { lockTimeoutMs: 300, terminateTimeoutMs: 300 } });
    const stuck = await issue(shop, ['builder']);
    await (await signIn(stuck.secret)).query('CREATE TABLE contended (x int)');
    const holder = new Client({ connectionString: server.url() });
    await holder.connect();
    await holder.query('BEGIN; SELECT * FROM contended');
    const failed = shop.drop(stuck.lease.id).then(
      () => 'dropped',
      (error: unknown) => (error as { code: string }).code,
    );
    const other = await issue(shop, ['reader']);
    await shop.drop(other.lease.id);
    expect(await failed).toBe('LEASE_TARGET');
    await expect(signIn(stuck.secret)).rejects.toBeDefined();
    await holder.end();
    expect((await shop.sweep(() => false)).swept.map((each) => each.id)).toContain(stuck.lease.id);
    expect(await exists(stuck.lease.login)).toBe(false);
  });
});

describe('sweeping', () => {
  it('P4: drops what nobody holds any more and what has expired, and nothing that is live or of another installation', async () => {
    const [mine, theirs] = [await source({ installation: 'mine' }), await source({ installation: 'theirs' })];
    const [live, dead, expired, foreign] = [
      await issue(mine, ['reader']),
      await issue(mine, ['reader']),
      await issue(mine, ['reader']),
      await issue(theirs, ['reader']),
    ];
    const still = await signIn(expired.secret);
    await server.query(`ALTER ROLE "${expired.lease.login}" VALID UNTIL '2020-01-01'; CREATE ROLE sallyport_mine_hand_made NOLOGIN`);
    // A new process that knows nothing but which leases are live.
    const after = await source({ installation: 'mine' });
    const result = await after.sweep((id) => id === live.lease.id || id === expired.lease.id);
    expect(result.failed).toEqual([]);
    expect(result.swept.map((each) => each.id).sort()).toEqual([dead.lease.id, expired.lease.id].sort());
    await expect(still.query('SELECT 1')).rejects.toBeDefined();
    expect(await Promise.all([live, dead, expired, foreign].map(({ lease }) => exists(lease.login)))).toEqual([true, false, false, true]);
    expect(await exists('sallyport_mine_hand_made')).toBe(true);
    await mine.drop(live.lease.id);
    await theirs.drop(foreign.lease.id);
  });
});

describe('with an admin that is no superuser', () => {
  it('P4: lends rights that it may grant, ends connections, gives away tables and functions, drops', async () => {
    const adminUrl = await freshAdmin('vendor_admin');
    await server.query(`
      GRANT clerk TO vendor_admin WITH ADMIN OPTION;
      CREATE SCHEMA app AUTHORIZATION vendor_admin; CREATE TABLE app.items (x int); ALTER TABLE app.items OWNER TO vendor_admin;`);
    const shop = await source({
      adminUrl,
      installation: 'plain',
      profiles: { p: ['USAGE, CREATE ON SCHEMA app', 'SELECT ON ALL TABLES IN SCHEMA app', 'ROLE clerk'] },
    });
    const { lease, secret } = await issue(shop, ['p']);
    const client = await signIn(secret);
    await client.query('SELECT * FROM app.items; INSERT INTO customers VALUES (3, null)');
    await client.query(`
      CREATE TABLE app.left_behind (x int); CREATE TYPE app.mood AS ENUM ('ok');
      CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; CREATE VIEW app.v AS SELECT 1 AS one;`);
    await shop.drop(lease.id);
    expect(await exists(lease.login)).toBe(false);
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await ownerOf('app.left_behind')).toBe('estate_of_sallyport_plain');
    const { rows } = await server.query<Record<string, unknown>>(
      `SELECT prosecdef, pg_get_userbyid(proowner) AS owner, has_schema_privilege('estate_of_sallyport_plain', 'app', 'CREATE') AS may_create
       FROM pg_proc WHERE oid = 'app.f()'::regprocedure`,
    );
    expect(rows).toEqual([{ prosecdef: false, owner: 'estate_of_sallyport_plain', may_create: false }]);
  });

  it('says so when it may not grant, and leaves nothing', async () => {
    const shop = await source({ adminUrl: await freshAdmin('poor_admin'), installation: 'poor' });
    const asked = request(['reader']);
    const lease = shop.plan(newId(), asked);
    await expect(shop.create(lease, asked)).rejects.toMatchObject({
      code: 'LEASE_TARGET',
      message: expect.stringContaining('42501') as string,
    });
    expect(await exists(lease.login)).toBe(false);
  });
});
