import type { Socket } from 'node:net';
import { cancelUpstream, connectUpstream, type Upstream, UpstreamError, type UpstreamTarget } from '@sallyport/adapter-postgres-upstream';
import { SessionStream, type SigningKey } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import { type LeaseGrant, type LeasePort, sessionKeyPair } from '@sallyport/lease';
import { type Durability, newSessionId, Recorder, RecordUnavailable, Session, type SessionServices, type Spool } from '@sallyport/session';
import type { Verdict } from '@sallyport/verdict';
import {
  encodeAuthenticationOk,
  encodeBackendKeyData,
  encodeParameterStatus,
  encodeReadyForQuery,
  type StartupMessage,
} from '@sallyport/wire-postgres';
import type { LiveSessions } from '../live-sessions.js';
import type { Log } from '../log.js';
import type { Revocations } from '../revocations.js';
import type { CancelKeys } from './cancel-keys.js';
import { lastWords } from './refusals.js';
import { Relay, type RelayLimits, type SessionMasks } from './relay.js';
import type { StartupSettings } from './settings.js';
import type { Statements } from './statements.js';

/** A Postgres database behind the edge, as configured. */
export interface PostgresResource {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: UpstreamTarget;
  readonly database: string;
  /** Other databases of the same server that `resource/database` may name. */
  readonly databases: readonly string[];
  readonly audit: { readonly mode: string; readonly durability: Durability; readonly record: 'metadata' | 'full' };
}

export interface OpenLimits extends RelayLimits {
  /** How long the vendor may take for a credential. */
  readonly leaseTimeoutMs: number;
  /** How long the target may take from the first packet to being ready. */
  readonly connectTimeoutMs: number;
}

export interface OpenServices {
  readonly edge: string;
  readonly resources: ReadonlyMap<string, PostgresResource>;
  readonly sessions: SessionServices;
  readonly live: LiveSessions;
  readonly revocations: Revocations;
  readonly leases: LeasePort;
  readonly spool: Spool;
  readonly signingKey: SigningKey;
  readonly statements: Statements;
  readonly cancelKeys: CancelKeys;
  readonly limits: OpenLimits;
  /** Told of the end of each session that is still being put on record. */
  readonly ending: (ended: Promise<void>) => void;
  readonly masksFor: (connection: MaskConnection, database: string, relay: () => Relay) => SessionMasks;
  readonly metrics: { opened(): void; closed(reason: string): void; refused(kind: string): void; signInFailed(code: string): void };
  readonly log: Log;
}

/** What masking needs to ask the target on the side: the session's own role. */
export interface MaskConnection {
  readonly target: UpstreamTarget;
  readonly user: string;
  readonly password: string;
}

export interface Arrived {
  readonly socket: Socket;
  readonly tls: boolean;
  readonly address: string;
  readonly startup: StartupMessage;
  readonly settings: StartupSettings;
  readonly principal: Principal;
  readonly rest: Buffer;
}

class OpenFailed extends Error {
  constructor(
    readonly sqlstate: string,
    message: string,
    readonly reason: 'refused' | 'target' | 'error' | 'record' | 'limit',
    options?: ErrorOptions & { readonly hint?: string },
  ) {
    super(message, options);
    this.hint = options?.hint;
  }
  readonly hint: string | undefined;
}

/** From a known principal to a live session: resource → policy → record → credential → target. Answers the agent either way. */
export async function openSession(arrived: Arrived, services: OpenServices): Promise<void> {
  const { socket, startup, principal } = arrived;
  const named = startup.parameters.get('database') ?? startup.parameters.get('user') ?? '';
  const found = findResource(named, services.resources);
  if (!found) return refuse(socket, services, unknownDatabase(named));
  const { resource, database } = found;

  const session = newSession(principal, resource, arrived, services);
  const opening = new Opening(session, resource, database, arrived, services);
  try {
    const verdict = await opening.judge(named);
    opening.recordOpened(verdict);
    await opening.connect(verdict);
  } catch (error) {
    if (!(error instanceof OpenFailed)) services.log.error({ err: error, session: session.id }, 'a session could not be opened');
    const failed =
      error instanceof OpenFailed ? error : new OpenFailed('XX000', 'the session could not be opened', 'error', { cause: error });
    await opening.undo(failed);
    refuse(socket, services, failed);
  }
}

function newSession(principal: Principal, resource: PostgresResource, arrived: Arrived, services: OpenServices): Session {
  const id = newSessionId();
  const stream = new SessionStream({ session: id, source: `/edge/${services.edge}`, subject: principal.subject }, services.signingKey);
  const recorder = new Recorder(stream, services.spool, resource.audit.durability, services.sessions.nowMs);
  const run = principal.run ?? /^run:([^/]{1,128})/.exec(arrived.settings.application)?.[1];
  const facts = { name: resource.name, kind: 'postgres', labels: resource.labels };
  return new Session(
    id,
    run === undefined ? principal : { ...principal, run },
    { facts, record: resource.audit.record },
    recorder,
    services.sessions,
  );
}

/** The steps of opening, and what has to be undone when one fails. */
class Opening {
  #recorded = false;
  #lease: LeaseGrant['lease'] | undefined;
  #upstream: Upstream | undefined;

  constructor(
    private readonly session: Session,
    private readonly resource: PostgresResource,
    private readonly database: string,
    private readonly arrived: Arrived,
    private readonly services: OpenServices,
  ) {}

  async judge(named: string): Promise<Verdict> {
    const { session, services } = this;
    const operation = { kind: 'connect', class: 'postgres.connect', classes: ['postgres.connect'] } as const;
    let verdict: Verdict;
    try {
      verdict = await services.sessions.verdicts.decide(session.policyInput(operation));
    } catch (cause) {
      throw new OpenFailed('57P03', 'policy gave no answer', 'error', { cause, hint: 'try again in a moment' });
    }
    if (verdict.decision !== 'allow') {
      this.recordOpened(verdict);
      // The same as a database that isn't there: what one may not reach one doesn't learn of.
      throw unknownDatabase(named);
    }
    const full = services.live.full(session.principal.subject);
    if (full) throw new OpenFailed('53300', `too many sessions (${full})`, 'limit', { hint: 'close some, or raise the limit' });
    return verdict;
  }

  recordOpened(verdict: Verdict): void {
    const { session, resource, arrived } = this;
    const { tokenId: _, issuedAtMs: __, ...principal } = session.principal;
    try {
      session.recorder.write('session.opened', {
        session: session.id,
        principal,
        resource: { name: resource.name, kind: 'postgres', labels: resource.labels },
        database: this.database,
        run: session.principal.run ?? null,
        client: {
          address: arrived.address,
          user: arrived.startup.parameters.get('user') ?? '',
          application: arrived.settings.application,
          protocol: `${arrived.startup.protocol.major}.${arrived.startup.protocol.minor}`,
          tls: arrived.tls,
        },
        audit: resource.audit,
        revision: verdict.revision,
        rules: verdict.rules,
        rulesOff: verdict.rulesOff,
        profiles: verdict.profiles,
      });
      this.#recorded = true;
    } catch (cause) {
      throw new OpenFailed('53100', 'the session can not be put on record', 'record', {
        cause,
        hint: 'the log is full or failing; tell the operator',
      });
    }
  }

  async connect(verdict: Verdict): Promise<void> {
    const { session, resource, services, arrived, database } = this;
    const keys = await sessionKeyPair();
    const { lease, sealed } = await this.#obtain(verdict, keys.publicKey);
    this.#lease = lease;
    session.endAtTheLatest(lease.expiresAtMs);
    const { session: _, ...obtained } = lease;
    session.recorder.write('lease.obtained', obtained);
    const secret = await keys.open(sealed, { session: session.id, lease: lease.id });
    const upstream = await this.#connectTarget(secret);
    this.#upstream = upstream;
    await session.recorder.durable(session.recorder.last);
    if (arrived.socket.destroyed) throw new OpenFailed('08006', 'the client has left', 'error');
    // Between sign-in and here nobody could have ended this session.
    if (services.revocations.covers(session.principal)) throw new OpenFailed('28P01', 'the token was not accepted', 'refused');

    const minor = Math.min(arrived.startup.protocol.minor, 2);
    const { cancelKeys, live, metrics } = services;
    const key = cancelKeys.issue(minor, () => relay.cancel());
    const relay: Relay = new Relay(session, arrived.socket, upstream.socket, {
      limits: services.limits,
      statements: services.statements,
      masks: services.masksFor({ target: resource.target, ...secret }, database, () => relay),
      cancelTarget: () =>
        cancelUpstream(resource.target, { key: upstream.backendKey, timeoutMs: services.limits.connectTimeoutMs }).catch(
          (error: unknown) => {
            services.log.warn({ err: error, session: session.id }, 'a cancel request did not reach the target');
          },
        ),
      ended: (reason, detail) => {
        cancelKeys.revoke(key.processId);
        live.remove(session.id);
        metrics.closed(reason);
        services.ending(endSession(session, reason, detail, lease, services));
      },
      refused: (kind) => metrics.refused(kind),
    });
    session.connected();
    live.add({ session, end: (reason, detail) => relay.end(reason, detail, lastWords('57P01', `session ended: ${detail}`)) });
    metrics.opened();
    arrived.socket.write(
      Buffer.concat([
        encodeAuthenticationOk({ kind: 'authenticationOk' }),
        ...upstream.parameterStatus.map(([name, value]) => encodeParameterStatus({ kind: 'parameterStatus', name, value })),
        encodeBackendKeyData(key),
        encodeReadyForQuery({ kind: 'readyForQuery', status: upstream.transactionStatus }),
      ]),
    );
    for (const [name, value] of upstream.parameterStatus) relay.parameterStatus(name, value);
    relay.start(arrived.rest, upstream.leftover);
  }

  async #obtain(verdict: Verdict, publicKey: Awaited<ReturnType<typeof sessionKeyPair>>['publicKey']): Promise<LeaseGrant> {
    const { session, resource, services, database } = this;
    try {
      return await services.leases.obtain(
        {
          session: session.id,
          resource: resource.name,
          subject: session.principal.subject,
          database,
          profiles: verdict.profiles,
          notAfterMs: session.endsAtMs,
          publicKey,
        },
        AbortSignal.timeout(services.limits.leaseTimeoutMs),
      );
    } catch (cause) {
      services.log.warn({ err: cause, session: session.id, resource: resource.name }, 'no credential could be had');
      throw new OpenFailed('57P03', `no credential can be had for ${resource.name} right now`, 'error', {
        cause,
        hint: 'the operator’s log says why',
      });
    }
  }

  async #connectTarget(secret: { readonly user: string; readonly password: string }): Promise<Upstream> {
    const { resource, services, arrived, database, session } = this;
    try {
      return await connectUpstream(resource.target, {
        protocol: arrived.startup.protocol.minor >= 2 ? '3.2' : '3.0',
        parameters: { ...arrived.settings.forTarget, user: secret.user, database },
        password: secret.password,
        limits: { connectTimeoutMs: services.limits.connectTimeoutMs, maxFrameBytes: services.limits.maxFrameBytes },
      });
    } catch (cause) {
      if (cause instanceof UpstreamError && cause.code === 'UPSTREAM_REFUSED' && cause.sqlstate !== undefined) {
        // A setting that the client asked for and the target won't have: the client's own error.
        throw new OpenFailed(cause.sqlstate, cause.fields?.message ?? 'the target refused the session', 'target', { cause });
      }
      services.log.warn({ err: cause, session: session.id, resource: resource.name }, 'the target can not be reached');
      throw new OpenFailed('08006', `the target of ${resource.name} can not be reached`, 'target', {
        cause,
        hint: 'the operator’s log says why',
      });
    }
  }

  async undo(failed: OpenFailed): Promise<void> {
    this.#upstream?.socket.destroy();
    this.session.ending();
    if (this.#recorded) await endSession(this.session, failed.reason, failed.sqlstate, this.#lease, this.services);
  }
}

/** The closing event, as soon as the log takes it, and the credential dropped whatever the log says (P4). */
async function endSession(
  session: Session,
  reason: Parameters<Session['close']>[0],
  detail: string | undefined,
  lease: LeaseGrant['lease'] | undefined,
  { leases, log }: OpenServices,
): Promise<void> {
  const dropped = lease
    ? leases.drop(lease.id, lease.resource).catch((error: unknown) => {
        log.warn({ err: error, session: session.id, lease: lease.id }, 'a credential was not dropped; the vendor sweeps it');
      })
    : undefined;
  for (;;) {
    try {
      session.close(reason, detail);
      break;
    } catch (error) {
      if (!(error instanceof RecordUnavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, CLOSE_RETRY_MS).unref());
    }
  }
  await dropped;
}

const CLOSE_RETRY_MS = 500;

/** `shop`, or `shop/database` where the resource allows it. */
function findResource(named: string, resources: OpenServices['resources']): { resource: PostgresResource; database: string } | undefined {
  const slash = named.indexOf('/');
  const resource = resources.get(slash < 0 ? named : named.slice(0, slash));
  if (!resource) return undefined;
  const database = slash < 0 ? resource.database : named.slice(slash + 1);
  return database === resource.database || resource.databases.includes(database) ? { resource, database } : undefined;
}

/** As the server says it. */
function unknownDatabase(named: string): OpenFailed {
  return new OpenFailed('3D000', `database "${named}" does not exist`, 'refused');
}

function refuse(socket: Socket, services: OpenServices, failed: OpenFailed): void {
  services.metrics.signInFailed(failed.sqlstate);
  if (socket.writable) socket.end(lastWords(failed.sqlstate, failed.message, failed.hint), () => socket.destroy());
  else socket.destroy();
}
