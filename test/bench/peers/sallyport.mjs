import { postgresResource, startSallyport } from '../../harness/index.mjs';

const SUBJECT = 'bench';

/** The same database under several names: what differs is what the gateway is asked to do. */
export const VARIANTS = [
  { name: 'allow-all, process', resource: 'open-process', grant: 'open', durability: 'process' },
  { name: 'allow-all, disk', resource: 'open-disk', grant: 'open', durability: 'disk' },
  { name: 'rules + masks, disk', resource: 'masked-disk', grant: 'masked', durability: 'disk' },
];

const resourcesOf = (grant) => VARIANTS.filter((variant) => variant.grant === grant).map(({ resource }) => resource);

const GRANTS = [
  {
    name: 'everything, without the default rules',
    who: { subjects: [SUBJECT] },
    on: { names: resourcesOf('open') },
    allow: ['*'],
    rules: 'off',
    credential: 'writer',
  },
  {
    name: 'read and write under the default rules, with columns masked',
    who: { subjects: [SUBJECT] },
    on: { names: resourcesOf('masked') },
    allow: ['postgres.read', 'postgres.write'],
    credential: 'writer',
    mask: [
      { column: 'public.people.email', with: 'partial' },
      { column: 'public.pgbench_accounts.filler', with: 'redact' },
    ],
  },
];

/** `sallyport up` in a process of its own, with a development issuer for the token. Everything else is its default. */
export async function startBenchSallyport({ command, target }) {
  const up = await startSallyport({
    command,
    resources: VARIANTS.map(({ resource, durability }) =>
      postgresResource({
        name: resource,
        target,
        database: target.database,
        adminEnv: 'BENCH_ADMIN_URL',
        profiles: { writer: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public'] },
        audit: { mode: 'strict', durability, record: 'full' },
      }),
    ),
    grants: GRANTS,
    limits: { maxSessionsPerPrincipal: 1000 },
    env: { BENCH_ADMIN_URL: target.url() },
  });
  return { ...up, user: 'bench', password: up.tokens[SUBJECT] };
}
