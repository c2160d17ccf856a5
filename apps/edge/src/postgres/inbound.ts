import { clear, foresee, type Cleared, type Refusal, Undecided } from '@sallyport/session';
import type { StringPlan } from '@sallyport/masking';
import type { Verdict } from '@sallyport/verdict';
import {
  decodeBind,
  decodeClose,
  decodeDescribe,
  decodeExecute,
  decodeParse,
  decodeQuery,
  FrontendType,
  WireError,
} from '@sallyport/wire-postgres';
import { Flight } from './flight.js';
import { parametersOf } from './parameters.js';
import { describePortal, noSuchStatement, notUtf8, poisonParse, poisonQuery, protocolRefusal, tooMany } from './refusals.js';
import type { Relay } from './relay.js';
import { RowRecording } from './row-recording.js';
import { type Asked, effectOf, fetchFrom, type Prepared, together, withPrepared } from './statements.js';

/** A portal: a prepared statement bound to its parameters, and the operation it became once it was judged. */
export interface Portal {
  /** More than one while it isn't certain what the statement's name stands for. */
  readonly prepared: readonly Prepared[];
  readonly parameters: readonly (string | null)[];
  /** Judged, recorded and approved at Bind already, waiting for its Execute. */
  cleared?: Cleared<StringPlan>;
  /** Set from its first Execute on. */
  flight?: Flight;
}

/** One frontend message, whole. `bytes` is the frame with its header. */
export interface Frame {
  readonly type: number;
  readonly body: Buffer;
  readonly bytes: Buffer;
}

/**
 * Agent → target. Each message is judged, put on record and forwarded, or replaced by one that the target is sure to refuse,
 * so that the target itself keeps the state of connection and transaction (docs/adr/0003).
 */
export class Inbound {
  constructor(private readonly relay: Relay) {}

  /** Handles one message; resolves when the next one may be handled. */
  async handle(frame: Frame): Promise<void> {
    const { exchanges } = this.relay;
    // The target will ignore it, so it is neither judged nor recorded nor sent.
    if (exchanges.skipping && frame.type !== FrontendType.sync && frame.type !== FrontendType.terminate) return;
    try {
      switch (frame.type) {
        case FrontendType.query:
          return await this.#query(frame);
        case FrontendType.parse:
          return await this.#parse(frame);
        case FrontendType.bind:
          return await this.#bind(frame);
        case FrontendType.describe:
          decodeDescribe(frame.body);
          exchanges.push({ kind: 'describe' });
          return this.relay.toTarget(frame.bytes);
        case FrontendType.execute:
          return await this.#execute(frame);
        case FrontendType.close:
          return this.#close(frame);
        case FrontendType.sync:
          exchanges.push({ kind: 'sync' });
          return this.relay.toTarget(frame.bytes);
        case FrontendType.flush:
        case FrontendType.copyData:
          return this.relay.toTarget(frame.bytes);
        case FrontendType.copyDone:
        case FrontendType.copyFail:
          exchanges.copyEnded();
          return this.relay.toTarget(frame.bytes);
        case FrontendType.functionCall:
          return this.#refuseQuery({
            refusal: protocolRefusal('function-call messages are not let through', 'call the function in a SELECT'),
          });
        case FrontendType.terminate:
          return this.relay.terminated(frame.bytes);
        default:
          return this.relay.violated(`a message of type 0x${frame.type.toString(16)} is not let through`);
      }
    } catch (error) {
      if (error instanceof WireError) return this.relay.violated(error.message);
      throw error;
    }
  }

  async #query(frame: Frame): Promise<void> {
    const text = this.relay.textOf(decodeQuery(frame.body).sql);
    if (text === undefined) return this.#refuseQuery({ refusal: notUtf8() });
    const asked = this.#resolved({ operation: this.relay.operationOf(text), text, parameterTypes: [] });
    const cleared = await this.#clear(asked);
    if (!cleared.cleared) return this.#refuseQuery(cleared);
    const sql = this.relay.sqlNames(asked);
    if (!sql)
      return this.#refuseQuery({ running: cleared.running, refusal: tooMany('prepared statements', 'limits.maxPreparedStatements') });
    this.relay.exchanges.push({ kind: 'query', op: this.#takeOff(cleared, text), ...sql });
    this.relay.toTarget(frame.bytes);
  }

  async #parse(frame: Frame): Promise<void> {
    const { statement: name, sql, parameterTypes } = decodeParse(frame.body);
    const text = this.relay.textOf(sql);
    if (text === undefined) return this.#refuse({ refusal: notUtf8() });
    const prepared: Prepared = { operation: this.relay.operationOf(text), text, parameterTypes };
    const asked = this.#resolved(prepared);
    if ((await this.#foreseen(asked)) === 'deny') {
      // Judged again in full, so that the refusal is on record like any other.
      const cleared = await this.#clear(asked);
      if (!cleared.cleared) return this.#refuse(cleared);
    }
    const { statements, exchanges } = this.relay;
    if (!statements.propose(name, prepared))
      return this.#refuse({ refusal: tooMany('prepared statements', 'limits.maxPreparedStatements') });
    exchanges.push({ kind: 'parse', confirm: () => statements.confirm(name, prepared), reject: () => statements.reject(name, prepared) });
    this.relay.toTarget(frame.bytes);
  }

  async #bind(frame: Frame): Promise<void> {
    const bind = decodeBind(frame.body);
    const { statements, portals, exchanges } = this.relay;
    const prepared = statements.of(bind.statement);
    if (prepared.length === 0) return this.#refuse({ refusal: noSuchStatement(bind.statement) });
    const portal: Portal = { prepared, parameters: parametersOf(bind) };
    // Planning may run functions, so what needs approval waits for it before Bind and not at Execute.
    if ((await this.#foreseen(this.#askedBy([portal]))) !== 'allow') {
      portal.cleared = await this.#clear(this.#askedBy([portal]));
      if (!portal.cleared.cleared) return this.#refuse(portal.cleared);
    }
    if (!portals.propose(bind.portal, portal)) return this.#refuse({ refusal: tooMany('portals', 'limits.maxPortals') });
    exchanges.push({
      kind: 'bind',
      confirm: () => portals.confirm(bind.portal, portal),
      reject: () => {
        portals.reject(bind.portal, portal);
        this.relay.abandoned(portal);
      },
    });
    this.relay.toTarget(frame.bytes);
  }

  async #execute(frame: Frame): Promise<void> {
    const { portal: name } = decodeExecute(frame.body);
    const candidates = this.relay.portals.of(name);
    const portal = candidates.at(-1);
    let flight = candidates.length === 1 ? portal?.flight : undefined;
    if (!flight) {
      const asked =
        candidates.length > 0
          ? this.#askedBy(candidates)
          : { operation: this.relay.operationOf(fetchFrom(name)), text: fetchFrom(name), parameterTypes: [] };
      let cleared = candidates.length === 1 ? portal?.cleared : undefined;
      // An approval holds for the revision under which it was asked (S4).
      if (!cleared?.cleared || cleared.verdict.revision !== this.relay.session.services.verdicts.revision)
        cleared = await this.#clear(asked);
      if (!cleared.cleared) return this.#refuse(cleared);
      if (portal) delete portal.cleared;
      const sql = this.relay.sqlNames(asked);
      if (!sql) return this.#refuse({ running: cleared.running, refusal: tooMany('prepared statements', 'limits.maxPreparedStatements') });
      flight = this.#takeOff(cleared, asked.text);
      if (portal) portal.flight = flight;
      if (flight.needsDescription) {
        // Rows are masked by what the target says of their columns, and the agent need not have asked.
        this.relay.exchanges.push({ kind: 'describe', ours: true, op: flight });
        this.relay.toTarget(describePortal(name));
      }
      this.relay.exchanges.push({ kind: 'execute', op: flight, ...sql });
    } else {
      this.relay.exchanges.push({ kind: 'execute', op: flight });
    }
    this.relay.toTarget(frame.bytes);
  }

  #close(frame: Frame): void {
    const { target, name } = decodeClose(frame.body);
    const names = target === 'statement' ? this.relay.statements : this.relay.portals;
    const before = names.of(name) as never;
    this.relay.exchanges.push({ kind: 'close', confirm: () => names.closed(name, before) });
    this.relay.toTarget(frame.bytes);
  }

  /** What an Execute asks for: everything that the portal's name and its statement's name may stand for. */
  #askedBy(portals: readonly Portal[]): Asked {
    const prepared = portals.flatMap((portal) => portal.prepared);
    const newest = prepared.at(-1)!;
    const { parameters } = portals.at(-1)!;
    const operation = together(newest.operation, prepared.slice(0, -1));
    return this.#resolved({ ...newest, operation, ambiguous: prepared.length > 1, ...(parameters.length > 0 ? { parameters } : {}) });
  }

  /** SQL `EXECUTE name` is what it executes. */
  #resolved(asked: Asked): Asked {
    return { ...asked, operation: withPrepared(asked.operation, (name) => this.relay.statements.of(name)) };
  }

  /** The decision that an operation would get; a policy that can't answer counts as a denial. */
  async #foreseen({ operation, parameters }: Asked): Promise<Verdict['decision']> {
    try {
      return (await foresee(this.relay.session, { operation, ...(parameters ? { parameters } : {}) })).decision;
    } catch (error) {
      if (error instanceof Undecided) return 'deny';
      throw error;
    }
  }

  #clear(asked: Asked): Promise<Cleared<StringPlan>> {
    const { operation, text, parameters } = asked;
    return this.relay.waiting((signal) =>
      clear<StringPlan>(this.relay.session, {
        operation,
        statement: text,
        ...(parameters ? { parameters } : {}),
        effect: effectOf(operation),
        signal,
        plan: (verdict) => this.relay.planMasks(asked, verdict),
      }),
    );
  }

  #takeOff(cleared: Extract<Cleared<StringPlan>, { cleared: true }>, text: string): Flight {
    this.relay.intent(cleared.running.intent);
    const { session, host } = this.relay;
    const recording = session.record === 'full' ? new RowRecording(host.limits.recordedRowsMaxBytes) : undefined;
    return new Flight(cleared.running, cleared.plan, text, undefined, cleared.verdict.rowLimit, recording);
  }

  /** In place of a Query or FunctionCall: fails in its turn, then ReadyForQuery. */
  #refuseQuery(refused: Refused): void {
    this.relay.exchanges.push({ kind: 'query', op: this.relay.refused(refused) });
    this.relay.toTarget(poisonQuery());
  }

  /** In place of a message of the extended protocol: fails in its turn, then nothing up to the next Sync. */
  #refuse(refused: Refused): void {
    this.relay.exchanges.push({ kind: 'parse', op: this.relay.refused(refused) });
    this.relay.toTarget(poisonParse());
  }
}

export type Refused = Pick<Extract<Cleared<unknown>, { cleared: false }>, 'running' | 'refusal'> & { readonly refusal: Refusal };
