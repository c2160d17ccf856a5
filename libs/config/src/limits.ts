import { z } from 'zod';
import { bytes, duration } from './fields.js';
import { parseBytes, parseDurationMs } from './units.js';

export interface LimitRow {
  readonly name: string;
  readonly unit: 'count' | 'bytes' | 'duration';
  /** As one would write it in the file. */
  readonly default: number | string;
  readonly protects: string;
  /** Where 0 has a meaning of its own. */
  readonly zero?: string;
}

/** Every limit of the system (P9): the schema, the types and docs/limits.md all come from here. */
export const LIMITS = [
  { name: 'maxSessions', unit: 'count', default: 10_000, protects: 'an edge from more live sessions than it can hold' },
  { name: 'maxSessionsPerPrincipal', unit: 'count', default: 100, protects: 'everybody from one principal that opens all sessions' },
  { name: 'maxPendingSignIns', unit: 'count', default: 1000, protects: 'the listener from connections that never sign in' },
  { name: 'signInTimeout', unit: 'duration', default: '10s', protects: 'the listener from a client that connects and stays silent' },
  { name: 'maxStartupBytes', unit: 'bytes', default: 10_000, protects: 'memory from a startup packet; PostgreSQL has the same limit' },
  { name: 'maxFrameBytes', unit: 'bytes', default: '16MiB', protects: 'memory from one message that must be held whole' },
  { name: 'maxPreparedStatements', unit: 'count', default: 1000, protects: 'memory from named statements of one session' },
  { name: 'maxPortals', unit: 'count', default: 1000, protects: 'memory from named portals of one session' },
  { name: 'maxPipelinedBytes', unit: 'bytes', default: '1MiB', protects: 'memory from what a client sends ahead while an operation waits' },
  {
    name: 'idleTimeout',
    unit: 'duration',
    default: '0s',
    zero: 'off: the end of the token closes the session',
    protects: 'sessions from being kept open with nothing to do',
  },
  {
    name: 'maxParsedBytes',
    unit: 'bytes',
    default: '256KiB',
    protects: 'the data path from SQL that takes long to parse; more is refused',
  },
  { name: 'maxParsedDepth', unit: 'count', default: 1000, protects: 'the parser from statements that nest without end' },
  { name: 'maxParsedComments', unit: 'count', default: 200, protects: 'the parser from nested comments, which it reads slowly' },
  { name: 'maxMaskPlans', unit: 'count', default: 500, protects: 'memory from remembered mask plans of one session' },
  { name: 'maxMaskedNames', unit: 'count', default: 1000, protects: 'memory from statements that a session with masks names by SQL' },
  {
    name: 'maxMaskParameters',
    unit: 'count',
    default: 5000,
    protects: 'the analysis of masks from statements with parameters without end',
  },
  { name: 'maxMaskRelations', unit: 'count', default: 500, protects: 'the analysis of masks from views upon views' },
  { name: 'catalogMaxAge', unit: 'duration', default: '2s', protects: 'masks from a catalog that others have changed meanwhile' },
  {
    name: 'catalogQueryTimeout',
    unit: 'duration',
    default: '5s',
    protects: 'a statement from a catalog that does not answer; it is refused',
  },
  { name: 'maxCatalogQueries', unit: 'count', default: 64, protects: 'memory from questions to the catalog that wait' },
  { name: 'maxCatalogEntries', unit: 'count', default: 10_000, protects: 'memory from remembered relations, functions and operators' },
  { name: 'statementCacheMaxBytes', unit: 'bytes', default: '64MiB', protects: 'memory from remembered parse trees' },
  { name: 'maxTokenBytes', unit: 'bytes', default: '16KiB', protects: 'sign-in from a token without end' },
  { name: 'maxActorDepth', unit: 'count', default: 8, protects: 'policy and events from an endless chain of actors' },
  { name: 'maxVerifiedTokens', unit: 'count', default: 10_000, protects: 'memory from remembered tokens' },
  { name: 'issuerTimeout', unit: 'duration', default: '5s', protects: 'a sign-in from an issuer that does not answer' },
  { name: 'maxIssuerWaiters', unit: 'count', default: 1000, protects: 'memory from sign-ins that wait for one issuer' },
  { name: 'maxIssuerKeys', unit: 'count', default: 100, protects: 'memory from a key set without end' },
  { name: 'issuerResponseMaxBytes', unit: 'bytes', default: '256KiB', protects: 'memory from what an issuer answers' },
  { name: 'keysMaxAge', unit: 'duration', default: '5m', protects: 'sign-in from keys that the issuer has withdrawn' },
  { name: 'keysRefetchInterval', unit: 'duration', default: '30s', protects: 'an issuer from tokens that name unknown keys' },
  { name: 'issuerRetry', unit: 'duration', default: '1s', protects: 'an issuer in trouble from being asked by every sign-in' },
  {
    name: 'revocationSkew',
    unit: 'duration',
    default: '5m',
    zero: 'for where all clocks are one',
    protects:
      'a revocation from clocks that differ: a token must have been issued so much later than the revocation to open anything again',
  },
  { name: 'connectTimeout', unit: 'duration', default: '10s', protects: 'a session from a target that does not answer' },
  { name: 'leaseTimeout', unit: 'duration', default: '10s', protects: 'a session from a vendor that does not answer' },
  { name: 'terminateTimeout', unit: 'duration', default: '5s', protects: 'the close of a session from a target that does not finish' },
  {
    name: 'maxLeases',
    unit: 'count',
    default: 20_000,
    protects: 'the vendor and the targets from more live credentials than they can hold',
  },
  { name: 'decisionTimeout', unit: 'duration', default: '5s', protects: 'an operation from policy that does not answer; it is refused' },
  { name: 'verdictCacheEntries', unit: 'count', default: 10_000, protects: 'memory from remembered verdicts' },
  { name: 'holdTimeout', unit: 'duration', default: '15m', protects: 'a held operation from people who do not answer; it is denied' },
  { name: 'maxHolds', unit: 'count', default: 1000, protects: 'approvers and memory from more holds than can be looked at' },
  { name: 'maxHoldsPerPrincipal', unit: 'count', default: 20, protects: 'approvers from one principal that asks for everything' },
  {
    name: 'recordedTextMaxBytes',
    unit: 'bytes',
    default: '64KiB',
    protects: 'the log from the text of one statement; the rest is cut, its digest kept',
  },
  {
    name: 'recordedRowsMaxBytes',
    unit: 'bytes',
    default: '64KiB',
    protects: 'the log from the rows of one result; the rest is counted only',
  },
  {
    name: 'recordMaxBytes',
    unit: 'bytes',
    default: '1MiB',
    protects: 'the log from one event; an operation whose event would be larger is refused',
  },
  { name: 'spoolMaxBytes', unit: 'bytes', default: '1GiB', protects: 'the disk while the bus is away; then operations are refused' },
  { name: 'spoolMaxAge', unit: 'duration', default: '1d', protects: 'the record from staying on one machine; then operations are refused' },
  {
    name: 'spoolReserveBytes',
    unit: 'bytes',
    default: '4MiB',
    protects: 'the end of sessions: room to write how they closed when the spool is full',
  },
  {
    name: 'busMaxLag',
    unit: 'duration',
    default: '10s',
    protects: 'the record of a strict resource: when the bus has taken nothing for so long, its operations are refused',
  },
  { name: 'busRequestTimeout', unit: 'duration', default: '5s', protects: 'a service from another one that does not answer' },
  { name: 'maxBusRequests', unit: 'count', default: 10_000, protects: 'memory from requests that wait for their answer' },
  {
    name: 'maxRunningRequests',
    unit: 'count',
    default: 256,
    protects: 'decision and vendor from more requests at once than they can handle',
  },
  {
    name: 'topicMaxBytes',
    unit: 'bytes',
    default: '256GiB',
    protects: 'the disk from one topic of the embedded bus; then it takes no more',
  },
  { name: 'transientMaxBytes', unit: 'bytes', default: '32MiB', protects: 'memory from requests and replies on the embedded bus' },
  { name: 'maxStoreConnections', unit: 'count', default: 8, protects: 'the database of the read models' },
  {
    name: 'storeStatementTimeout',
    unit: 'duration',
    default: '60s',
    protects: 'lists and searches from a read model that does not answer',
  },
  { name: 'consolePageMaxRows', unit: 'count', default: 1000, protects: 'the console from pages without end' },
  { name: 'consolePageScanMaxRows', unit: 'count', default: 10_000, protects: 'the console from looking for rows that one may not see' },
  { name: 'consoleBodyMaxBytes', unit: 'bytes', default: '16KiB', protects: 'memory from what is sent to the console' },
  { name: 'consoleRequestTimeout', unit: 'duration', default: '30s', protects: 'the console from slow requests' },
  { name: 'maxConsoleConnections', unit: 'count', default: 512, protects: 'the console from connections without end' },
  { name: 'maxLiveClients', unit: 'count', default: 100, protects: 'the console from people and scripts that follow live' },
  {
    name: 'maxLiveClientsPerPrincipal',
    unit: 'count',
    default: 10,
    protects: 'everybody who follows live from one principal that takes all places',
  },
  { name: 'liveClientMaxBytes', unit: 'bytes', default: '8MiB', protects: 'memory from a live client that reads slowly; it is cut off' },
  { name: 'exportMaxEvents', unit: 'count', default: 5_000_000, protects: 'the console from exports of endless logs' },
  { name: 'exportMaxBytes', unit: 'bytes', default: '256MiB', protects: 'memory from the export of one session' },
  { name: 'maxExports', unit: 'count', default: 2, protects: 'the console from exports at the same time' },
  { name: 'shutdownTimeout', unit: 'duration', default: '30s', protects: 'a shutdown from sessions that do not end; then they are cut' },
] as const satisfies readonly LimitRow[];

type Row = (typeof LIMITS)[number];
type ConfigName<R extends Row> = R['unit'] extends 'duration' ? `${R['name']}Ms` : R['name'];

/** All limits as numbers: counts and bytes under their own names, durations in milliseconds under `…Ms`. */
export type Limits = { readonly [R in Row as ConfigName<R>]: number };

const count = () => z.int({ error: 'expected a whole number' }).min(1, { error: 'expected at least 1' });

function rowSchema(row: LimitRow): z.ZodType<number> {
  const field = row.unit === 'count' ? count() : row.unit === 'bytes' ? bytes() : duration(row.zero === undefined ? 1 : 0);
  return (field as z.ZodType<number, number | string>)
    .prefault(row.default)
    .describe(`Protects ${row.protects}.${row.zero === undefined ? '' : ` 0 is ${row.zero}.`}`);
}

export function limitsSchema() {
  return z
    .strictObject(Object.fromEntries(LIMITS.map((row: LimitRow) => [row.name, rowSchema(row)])))
    .transform(
      (values): Limits =>
        Object.fromEntries(LIMITS.map(({ name, unit }) => [unit === 'duration' ? `${name}Ms` : name, values[name]])) as unknown as Limits,
    )
    .prefault({});
}

/** What holds when nobody says otherwise. */
export const DEFAULT_LIMITS: Limits = Object.freeze(limitsSchema().parse({}));

/** docs/limits.md. */
export function limitsMarkdown(): string {
  const rows = LIMITS.map((row: LimitRow) => {
    const value = row.default;
    const exact =
      typeof value === 'number' ? '' : row.unit === 'bytes' ? ` (${parseBytes(value)} bytes)` : ` (${parseDurationMs(value)} ms)`;
    return `| \`${row.name}\` | ${value}${exact} | ${row.protects}${row.zero === undefined ? '' : `; 0 is ${row.zero}`} |`;
  });
  return `# Limits

One peer can't hurt another (P9): every buffer, queue, frame, wait and count has a limit. They go under \`limits\` in the configuration.
Sizes are written \`64KiB\`, \`16MiB\`, \`1GiB\` or as a number of bytes, times \`500ms\`, \`10s\`, \`15m\`, \`1h\`, \`1d\`.

| limit | default | protects |
| --- | --- | --- |
${rows.join('\n')}

This page is made from \`libs/config/src/limits.ts\`; a test says when it is not up to date.
`;
}
