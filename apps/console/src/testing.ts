/** A console on real parts, for specs: an embedded bus and Postgres, the policies as shipped, the development issuer. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEV_PRINCIPALS, type DevIssuer, startDevIssuer } from '@sallyport/adapter-dev-issuer';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { oidcIdentity } from '@sallyport/adapter-oidc';
import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import { openStore } from '@sallyport/adapter-postgres-store';
import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import { loadOrCreateKey, SessionStream, type SigningKey } from '@sallyport/events';
import { exampleSession } from '@sallyport/events/examples';
import { Checkpointer, logName } from '@sallyport/ledger';
import { AnnouncedServices, heardEvent, type Roster } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { loadGrants } from '@sallyport/verdict';
import { pino } from 'pino';
import type { HoldAnswer, HoldAnswered } from './answer.port.js';
import { type Console, createConsole } from './create-console.js';
import type { ConsoleLimits } from './limits.js';
import type { ProjectionsPort } from './projections.port.js';

/** Edges beside `edge/test`, for revocations. */
const { keys, roster } = enrolled('console/test', 'edge/a', 'edge/b');

export const LOCAL_TOKEN = 'local-operator-token-for-specs';

const GRANTS = `
grants:
  - name: the stock crew writes when a DBA agrees
    who: { subjects: [crew-stock] }
    on: { names: [shop] }
    hold: [ postgres.write ]
    approval: { groups: [dba], count: 1, window: 10m }
    credential: writer
roles:
  operator: { groups: [security] }
`;

export interface WrittenSession {
  readonly id: string;
  readonly subject?: string;
  readonly end?: 'closed' | 'aborted' | 'open';
  readonly operations?: number;
  /** Leaves the hold of the last operation unanswered. */
  readonly waiting?: boolean;
  readonly run?: string;
}

/** What the API answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line no-explicit-any -- what a server answered
  readonly body: any;
}

export interface TestConsole {
  readonly console: Console;
  /** `http://…`. */
  readonly url: string;
  readonly bus: Bus;
  /** As `up` leaves it: bus/, keys/, operator.token, run.json. */
  readonly dataDirectory: string;
  readonly issuer: DevIssuer;
  /** By subject: a token each. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly edgeKey: SigningKey;
  /** Of the services whose word counts on the control stream; what they write is in the read model soon after. */
  readonly keys: typeof keys;
  readonly roster: Roster;
  readonly ledgerKey: SigningKey;
  /** What was asked of the decision service; `answerWith` says what it answers. */
  readonly answers: HoldAnswer[];
  answerWith(answered: HoldAnswered): void;
  /** Onto the log, into the read models, and under a checkpoint. */
  write(...sessions: readonly WrittenSession[]): Promise<void>;
  /** Asks the API, as a subject, as `local`, with a token or with none; a body makes it a POST. */
  call(path: string, who: string | undefined, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export async function testConsole(
  options: {
    readonly limits?: Partial<ConsoleLimits>;
    readonly notReady?: () => string | undefined;
    readonly projections?: ProjectionsPort;
  } = {},
): Promise<TestConsole> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-console-'));
  const [postgres, bus, issuer, bundle] = await Promise.all([
    testPostgres(),
    openEmbeddedBus({ dir: join(directory, 'bus') }),
    startDevIssuer({ principals: DEV_PRINCIPALS }),
    readBundle(join(import.meta.dirname, '../../../policies/bundle')),
  ]);
  const grants = loadGrants(GRANTS, { rules: bundle.manifest.rules });
  if (!grants.ok) throw new Error(JSON.stringify(grants.problems));
  const store = await openStore({ url: postgres.url() });
  const identity = oidcIdentity({ providers: [{ name: 'dev', issuer: issuer.issuer, audience: issuer.audience, groups: 'groups' }] });
  const edgeKey = await loadOrCreateKey(join(directory, 'keys'), 'edge/test');
  const ledgerKey = await loadOrCreateKey(join(directory, 'keys'), 'ledger/test');
  const answers: HoldAnswer[] = [];
  let answered: HoldAnswered = { ok: true, hold: '', by: 'dana', given: 1, needed: 1 };
  const projected = await bus.consume({
    topic: TOPICS.control,
    start: { at: 'earliest' },
    async onBatch(batch) {
      const records = batch.filter((record) => heardEvent(roster, record).ok);
      await store.applyBatch({
        topic: TOPICS.control,
        partition: 0,
        records: records.map(({ topic, partition, offset, value }) => ({ topic, partition, offset, bytes: value })),
        firstOffset: batch[0]!.offset,
        nextOffset: batch.at(-1)!.offset + 1n,
      });
    },
  });
  const console = await createConsole({
    host: '127.0.0.1',
    port: await freePort(),
    store,
    bus,
    key: keys['console/test'],
    roster,
    announced: new AnnouncedServices(roster),
    installation: 'test',
    version: '0.0.0',
    identity,
    engine: opaWasmEngine({ wasm: bundle.wasm, entrypoints: bundle.manifest.entrypoints, data: grants.document }),
    localToken: LOCAL_TOKEN,
    async answer(answer) {
      answers.push(answer);
      return answered.ok ? { ...answered, hold: answer.hold } : answered;
    },
    resources: [
      {
        name: 'shop',
        kind: 'postgres',
        address: '127.0.0.1:5432',
        labels: { env: 'prod' },
        profiles: ['reader', 'writer'],
        audit: { mode: 'strict', durability: 'disk', record: 'full' },
      },
    ],
    policy: () => ({
      number: 0,
      revision: 'ab'.repeat(32),
      rules: bundle.manifest.rules,
      grants: [{ name: 'the stock crew writes when a DBA agrees', rulesOff: false }],
      opa: bundle.manifest.opa,
    }),
    verifierKeys: async () => [edgeKey, ledgerKey],
    log: pino({ level: 'silent' }),
    ...options,
  });

  await writeFile(join(directory, 'operator.token'), `${LOCAL_TOKEN}\n`, { mode: 0o600 });
  await writeFile(
    join(directory, 'run.json'),
    JSON.stringify({ pid: process.pid, listeners: { console: console.address }, issuer: issuer.issuer }),
  );

  const checkpointer = new Checkpointer({ log: logName(TOPICS.sessions, 0), key: ledgerKey });
  let applied = 0n;
  async function write(...sessions: readonly WrittenSession[]): Promise<void> {
    const bytes = sessions.flatMap((session) => eventsOf(session, issuer.issuer, edgeKey));
    await bus.produce(
      TOPICS.sessions,
      bytes.map(({ key, value }) => ({ key, value })),
    );
    const fresh: BusRecord[] = [];
    for (let offset = applied; ;) {
      const found = await bus.read(TOPICS.sessions, 0, offset, 1000);
      if (found.length === 0) break;
      fresh.push(...found);
      offset = found.at(-1)!.offset + 1n;
    }
    const records = fresh.map(({ topic, partition, offset, value }) => ({ topic, partition, offset, bytes: value, vouched: true }));
    const next = applied + BigInt(fresh.length);
    await store.applyBatch({ topic: TOPICS.sessions, partition: 0, records, firstOffset: applied, nextOffset: next });
    applied = next;
    for (const { value } of fresh) checkpointer.append(value, 0);
    const checkpoint = checkpointer.finish();
    if (checkpoint) await bus.produce(TOPICS.checkpoints, [{ key: checkpoint.log, value: Buffer.from(checkpoint.note) }]);
  }

  const url = `http://${console.address}`;
  const tokens = await issuer.tokens();
  return {
    console,
    url,
    bus,
    dataDirectory: directory,
    issuer,
    tokens,
    edgeKey,
    keys,
    roster,
    ledgerKey,
    answers,
    answerWith: (given) => void (answered = given),
    write,
    async call(path, who, body, headers = {}) {
      const token = who === 'local' ? LOCAL_TOKEN : who === undefined ? undefined : (tokens[who] ?? who);
      const response = await fetch(`${url}/api/v1/${path}`, {
        ...(body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), 'content-type': 'application/json', ...headers },
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
    },
    async stop() {
      await console.close();
      await projected.close();
      identity.close();
      await Promise.all([issuer.close(), store.close()]);
      await Promise.all([postgres.stop(), bus.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The example session of the events library, as if it were this principal's and of this minute. */
function eventsOf(
  { id, subject = 'crew-stock', end = 'closed', operations = 1, waiting = false, run }: WrittenSession,
  issuer: string,
  key: SigningKey,
): readonly { readonly key: string; readonly value: Buffer }[] {
  const template = exampleSession(id, key, { operations, end: 'open' });
  const nowMs = Date.now();
  const shiftMs = nowMs - Date.parse(template[0]!.event.time);
  const stream = new SessionStream({ session: id, source: '/edge/test', subject }, key);
  const untilHold = template.findIndex(
    ({ event }) => event.type === 'approval.requested' && (event.data as { operation: number }).operation === operations,
  );
  const kept = waiting ? template.slice(0, untilHold + 1) : template;
  const values = kept.map(({ event }) => {
    const data = { ...(event.data as Record<string, unknown>) };
    if (event.type === 'session.opened')
      Object.assign(data, { run: run ?? null, principal: { ...(data['principal'] as object), subject, issuer } });
    if ('requester' in data) data['requester'] = { ...(data['requester'] as object), subject, issuer };
    if ('hold' in data) data['hold'] = `${id}-h${String(data['operation'])}`;
    for (const name of ['expires', 'windowEnds']) {
      if (typeof data[name] === 'string') data[name] = new Date(Date.parse(data[name]) + shiftMs).toISOString();
    }
    return stream.event(event.type as 'operation.submitted', data as never, Date.parse(event.time) + shiftMs).bytes;
  });
  if (end === 'closed') values.push(stream.close({ reason: 'client', operations, rows: 3, bytes: 42, denials: 0 }, nowMs + 2000).bytes);
  if (end === 'aborted') values.push(stream.abort({ reason: 'killed', unfinished: waiting ? [operations] : [] }, nowMs + 2000).bytes);
  return values.map((value) => ({ key: id, value }));
}
