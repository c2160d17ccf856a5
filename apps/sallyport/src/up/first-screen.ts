import type { Config } from '@sallyport/config';
import type { GrantsDocument } from '@sallyport/verdict';
import type { Running } from './compose.js';

/** What `up` prints when everything accepts: where to connect, what judges, what to try first. */
export function firstScreen(running: Running, config: Config, grants: GrantsDocument, warnings: readonly string[]): string {
  const { listeners, policyRevision, issuer } = running;
  const [host = '', port = ''] = (listeners.postgres ?? '').split(/:(?=\d+$)/);
  const names = config.resources.map(({ name }) => name);
  const rulesOff = grants.grants.filter((grant) => grant.rules === 'off').map(({ name }) => name);
  const rows = [
    ...Object.entries(listeners).map(([name, address]) => [name, name === 'postgres' ? address : `http://${address}`] as const),
    ...(issuer ? [['dev issuer', issuer.issuer] as const] : []),
    [
      'policy',
      `revision ${policyRevision.slice(0, 12)}, ${grants.grants.length} ${grants.grants.length === 1 ? 'grant' : 'grants'}`,
    ] as const,
    ['resources', names.length === 0 ? 'none: add some to sallyport.yaml' : names.join(', ')] as const,
    ['data', config.data] as const,
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const connect =
    names[0] === undefined
      ? []
      : [
          '',
          'Connect with any Postgres client, with your token as the password:',
          `  PGPASSWORD="$(npx sallyport token)" psql "host=${host} port=${port} dbname=${names[0]} user=me"`,
        ];
  return [
    'Sallyport is up.',
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...connect,
    ...(rulesOff.length === 0 ? [] : ['', `Default rules are OFF for: ${rulesOff.join(', ')}`]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `Warning: ${warning}`)]),
    '',
  ].join('\n');
}
