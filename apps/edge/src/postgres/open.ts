import type { Socket } from 'node:net';
import { cancelUpstream, connectUpstream, type Upstream, UpstreamError, type UpstreamTarget } from '@sallyport/adapter-postgres-upstream';
import { SessionStream, type SigningKey } from '@sallyport/events';
import type { Principal, Revocations } from '@sallyport/identity';
import { type LeaseGrant, type LeasePort, type SessionKeyPair, sessionKeyPair } from '@sallyport/lease';
import {
  type Audit,
  type EndReason,
  newSessionId,
  Recorder,
  RecordLate,
  Session,
  type SessionServices,
  type Spool,
} from '@sallyport/session';
import { connectInput, type PolicyInput, type Verdict } from '@sallyport/verdict';
import {
  encodeAuthenticationOk,
  encodeBackendKeyData,
  encodeParameterStatus,
  encodeReadyForQuery,
  type ErrorFields,
  type StartupMessage,
} from '@sallyport/wire-postgres';
import type { LiveSessions } from '../live-sessions.js';
import type { Log } from '../log.js';
import type { CancelKeys } from './cancel-keys.js';
import { endSession } from './end-session.js';
import { errorBytes, lastWords } from './refusals.js';
import { Relay } from './relay.js';
import type { RelayLimits, SessionMasks } from './relay-host.js';
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
  readonly audit: Audit & { readonly record: 'metadata' | 'full' };
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
    readonly reason: EndReason,
    options?: ErrorOptions & { readonly hint?: string; readonly fields?: ErrorFields },
  ) {
    super(message, options);
    this.hint = options?.hint;
    this.fields = options?.fields;
  }
  readonly hint: string | undefined;
  /** The target's own error, when the agent may see it as it is. */
  readonly fields: ErrorFields | undefined;
}

/**
 * From a known principal to a live session: resource → policy → record → credential → target. Answers the agent either way.
 * `token` is the agent's: handed to the vendor and kept nowhere, so it is in no object that lives as long as the session.
 */
export async function openSession(arrived: Arrived, token: string, services: OpenServices): Promise<void> {
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
    await opening.connect(verdict, token);
  } catch (error) {
    if (!(error instanceof OpenFailed)) services.log.error({ err: error, session: session.id }, 'a session could not be opened');
    const failed =
      error instanceof OpenFailed ? error : new OpenFailed('XX000', 'the session could not be opened', 'error', { cause: error });
    opening.undo(failed);
    refuse(socket, services, failed);
  }
}

function newSession(principal: Principal, resource: PostgresResource, arrived: Arrived, services: OpenServices): Session {
  const id = newSessionId();
  const stream = new SessionStream({ session: id, source: `/edge/${services.edge}`, subject: principal.subject }, services.signingKey);
  const recorder = new Recorder(stream, services.spool, resource.audit, services.sessions.nowMs);
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
  /** Set when it was ended before it was open. */
  #ended: OpenFailed | undefined;
  #relay: Relay | undefined;
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
    const { principal, resource } = session;
    const run = principal.run ?? null;
    const nowMs = services.sessions.nowMs();
    const verdict = await this.#decide(connectInput({ principal, session: session.id, run, resource, nowMs }));
    if (verdict.decision !== 'allow') {
      this.recordOpened(verdict);
      // The same as a database that isn't there: what one may not reach one doesn't learn of.
      throw unknownDatabase(named);
    }
    for (const text of this.arrived.settings.judged) await this.#judgeSetting(text);
    const full = services.live.full(session.principal.subject);
    if (full) throw new OpenFailed('53300', `too many sessions (${full})`, 'limit', { hint: 'close some, or raise the limit' });
    // From here on it counts, and whoever ends sessions ends it, open or not.
    services.live.add({ session, end: (reason, detail) => this.#end(reason, detail) });
    return verdict;
  }

  /** A setting of the startup packet is what SET would be. @throws OpenFailed */
  async #judgeSetting(text: string): Promise<void> {
    const verdict = await this.#decide(this.session.policyInput(this.services.statements.of(text)));
    if (verdict.decision === 'allow') return;
    throw new OpenFailed('42501', verdict.reasons.join('; ') || 'refused by policy', 'refused', { hint: 'sign in without this setting' });
  }

  async #decide(input: PolicyInput): Promise<Verdict> {
    try {
      return await this.services.sessions.verdicts.decide(input);
    } catch (cause) {
      throw new OpenFailed('57P03', 'policy gave no answer', 'error', { cause, hint: 'try again in a moment' });
    }
  }

  #end(reason: EndReason, detail: string): void {
    const message = `session ended: ${detail}`;
    if (this.#relay) return this.#relay.end(reason, detail, lastWords('57P01', message));
    this.#ended ??= new OpenFailed('57P01', message, reason);
  }

  /** @throws OpenFailed when somebody ended it, or the client has left. */
  #goesOn(): void {
    if (this.#ended) throw this.#ended;
    if (this.arrived.socket.destroyed) throw new OpenFailed('08006', 'the client has left', 'client');
  }

  recordOpened(verdict: Verdict): void {
    const { session, resource, arrived } = this;
    const { tokenId: _, issuedAtMs: __, ...principal } = session.principal;
    recorded(() =>
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
      }),
    );
    this.#recorded = true;
  }

  async connect(verdict: Verdict, token: string): Promise<void> {
    const { session, resource, services, arrived, database } = this;
    const keys = await sessionKeyPair();
    // By this clock, and from before the question: the vendor's clock may be another.
    const askedAtMs = services.sessions.nowMs();
    const { lease, sealed, expiresInMs } = await this.#obtain(verdict, keys.publicKey, token);
    this.#lease = lease;
    session.endAtTheLatest(askedAtMs + expiresInMs);
    this.#goesOn();
    const { session: _, holder: __, ...obtained } = lease;
    recorded(() => session.recorder.write('lease.obtained', obtained));
    const secret = await keys.open(sealed, { session: session.id, lease: lease.id });
    const upstream = await this.#connectTarget(secret);
    this.#upstream = upstream;
    await this.#onRecord();
    this.#goesOn();
    // Between sign-in and here nobody could have ended this session.
    if (services.revocations.covers(session.principal)) throw new OpenFailed('28P01', 'the token was not accepted', 'refused');

    const minor = Math.min(arrived.startup.protocol.minor, 2);
    const { cancelKeys, live, metrics } = services;
    const key = cancelKeys.issue(minor, upstream.backendKey.processId, () => relay.cancel());
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
      ended: (reason, detail, finished) => {
        cancelKeys.revoke(key);
        const end = endSession(session, reason, detail, lease, services, finished);
        live.remove(session.id, end.recorded);
        metrics.closed(reason);
        services.ending(end.over);
      },
      refused: (kind) => metrics.refused(kind),
      fault: (error) => services.log.error({ err: error, session: session.id }, 'a session ended by a fault of the edge'),
    });
    this.#relay = relay;
    session.connected();
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

  async #onRecord(): Promise<void> {
    const { recorder } = this.session;
    await recorder.durable(recorder.last).catch((cause: unknown) => {
      if (!(cause instanceof RecordLate)) throw cause;
      throw new OpenFailed('53100', 'the session can not be put on record in time', 'record', {
        cause,
        hint: 'the bus is away; tell the operator',
      });
    });
  }

  async #obtain(verdict: Verdict, publicKey: SessionKeyPair['publicKey'], token: string): Promise<LeaseGrant> {
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
          token,
          run: session.principal.run ?? null,
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
        const shown = cause.fields ? { fields: cause.fields } : {};
        throw new OpenFailed(cause.sqlstate, cause.fields?.message ?? 'the target refused the session', 'target', { cause, ...shown });
      }
      services.log.warn({ err: cause, session: session.id, resource: resource.name }, 'the target can not be reached');
      throw new OpenFailed('08006', `the target of ${resource.name} can not be reached`, 'target', {
        cause,
        hint: 'the operator’s log says why',
      });
    }
  }

  undo(failed: OpenFailed): void {
    this.#upstream?.socket.destroy();
    this.session.ending();
    if (!this.#recorded) return this.services.live.remove(this.session.id);
    const end = endSession(this.session, failed.reason, failed.sqlstate, this.#lease, this.services, Promise.resolve());
    this.services.live.remove(this.session.id, end.recorded);
    this.services.ending(end.over);
  }
}

/** @throws OpenFailed when the log takes nothing, or is too far behind for what has to be strict. */
function recorded(write: () => unknown): void {
  try {
    write();
  } catch (cause) {
    throw new OpenFailed('53100', 'the session can not be put on record', 'record', {
      cause,
      hint: 'the log is full or failing; tell the operator',
    });
  }
}

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
  const words = failed.fields ? errorBytes(failed.fields) : lastWords(failed.sqlstate, failed.message, failed.hint);
  if (socket.writable) socket.end(words, () => socket.destroy());
  else socket.destroy();
}
