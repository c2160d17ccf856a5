import { clear, foresee, type Cleared, type Planned, Undecided } from '@sallyport/session';
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
import type { Conversation, Frame, Refused } from './conversation.js';
import { Flight } from './flight.js';
import { parametersOf } from './parameters.js';
import type { Portal } from './portal.js';
import { describePortal, noSuchPortal, noSuchStatement, poisonParse, poisonQuery, protocolRefusal, tooMany } from './refusals.js';
import { RowRecording } from './row-recording.js';
import { type Asked, copiesOf, effectOf, type Prepared, together, withPortals, withPrepared } from './statements.js';

/**
 * Agent → target. Each message is judged, put on record and forwarded, or replaced by one that the target is sure to refuse,
 * so that the target itself keeps the state of connection and transaction (docs/adr/0003).
 */
export class Inbound {
  constructor(private readonly relay: Conversation) {}

  /** Handles one message; resolves when the next one may be handled. */
  async handle(frame: Frame): Promise<void> {
    const { exchanges } = this.relay;
    // The target will ignore it, so it is neither judged nor recorded nor sent.
    if (exchanges.skipping && frame.type !== FrontendType.sync && frame.type !== FrontendType.terminate) return;
    // While it reads copy data it ignores these, and whether it still does only it knows: so it isn't asked.
    if (exchanges.copyIn && (frame.type === FrontendType.sync || frame.type === FrontendType.flush)) return;
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
          return this.relay.ask({ kind: 'describe' }, frame.bytes);
        case FrontendType.execute:
          return await this.#execute(frame);
        case FrontendType.close:
          return this.#close(frame);
        case FrontendType.sync:
          return this.relay.ask({ kind: 'sync' }, frame.bytes);
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
    const text = this.relay.text.of(decodeQuery(frame.body).sql);
    if (text === undefined) return this.#refuseQuery({ refusal: this.relay.text.unreadable() });
    const operation = this.relay.operationOf(text);
    const asked = this.#resolved({ operation, text, parameterTypes: [] });
    const cleared = await this.#clear(asked);
    if (!cleared.cleared) return this.#refuseQuery(cleared);
    const sql = this.relay.sqlNames(asked, operation.statements);
    if (!sql)
      return this.#refuseQuery({ running: cleared.running, refusal: tooMany('prepared statements', 'limits.maxPreparedStatements') });
    this.relay.ask({ kind: 'query', op: this.#takeOff(cleared, text), copies: copiesOf(operation), ...sql }, frame.bytes);
  }

  async #parse(frame: Frame): Promise<void> {
    const { statement: name, sql, parameterTypes } = decodeParse(frame.body);
    const text = this.relay.text.of(sql);
    if (text === undefined) return this.#refuse({ refusal: this.relay.text.unreadable() });
    const prepared: Prepared = { operation: this.relay.operationOf(text), text, parameterTypes };
    const asked = this.#resolved(prepared);
    if ((await this.#foreseen(asked)) === 'deny') {
      // Judged again in full, so that the refusal is on record like any other.
      const cleared = await this.#clear(asked);
      if (!cleared.cleared) return this.#refuse(cleared);
      // Policy had no answer a moment ago, and allows it now. Nothing runs at Parse: what went on record is over.
      this.relay.unused(cleared);
    }
    const { exchanges } = this.relay;
    const { statements } = this.relay.names;
    if (!statements.propose(name, prepared, exchanges.next))
      return this.#refuse({ refusal: tooMany('prepared statements', 'limits.maxPreparedStatements') });
    const [confirm, reject] = [() => statements.confirm(name, prepared), () => statements.reject(name, prepared)];
    this.relay.ask({ kind: 'parse', confirm, reject }, frame.bytes);
  }

  async #bind(frame: Frame): Promise<void> {
    const bind = decodeBind(frame.body);
    const { exchanges } = this.relay;
    const { portals } = this.relay.names;
    const prepared = this.relay.names.prepared(bind.statement);
    if (prepared.length === 0) return this.#refuse({ refusal: noSuchStatement(bind.statement) });
    const portal: Portal = { prepared, parameters: parametersOf(bind) };
    // Planning may run functions, so what needs approval or can't be masked waits for that before Bind and not at Execute.
    if ((await this.#foreseen(this.#askedBy([portal]), portal)) !== 'allow') {
      const cleared = await this.#clear(this.#askedBy([portal]), portal);
      if (!cleared.cleared) return this.#refuse(cleared);
      portal.cleared = cleared;
    }
    if (!portals.propose(bind.portal, portal, exchanges.next)) {
      this.relay.abandoned(portal);
      return this.#refuse({ refusal: tooMany('portals', 'limits.maxPortals') });
    }
    const [confirm, reject] = [() => portals.confirm(bind.portal, portal), () => portals.reject(bind.portal, portal)];
    this.relay.ask({ kind: 'bind', confirm, reject }, frame.bytes);
  }

  async #execute(frame: Frame): Promise<void> {
    const { portal: name } = decodeExecute(frame.body);
    const candidates = this.relay.names.bound(name);
    if (name === '' && candidates.length === 0) return this.#refuse({ refusal: noSuchPortal(name) });
    const portal = candidates.length === 1 ? candidates[0] : undefined;
    if (portal?.flight && !portal.flight.done && (await this.#stillAllowed(portal, this.#askedBy([portal])))) {
      portal.flight.awaited++;
      return this.relay.ask({ kind: 'execute', op: portal.flight }, frame.bytes);
    }
    const asked = candidates.length > 0 ? this.#askedBy(candidates) : this.relay.names.cursor(name);
    let cleared: Cleared<StringPlan> | undefined = portal?.cleared;
    // An approval holds for the revision under which it was asked (S4).
    if (!portal || !cleared || !(await this.#stillAllowed(portal, asked))) {
      if (portal) this.relay.abandoned(portal);
      cleared = await this.#clear(asked, portal);
    }
    if (!cleared.cleared) return this.#refuse(cleared);
    const sql = this.relay.sqlNames(
      asked,
      candidates.flatMap(({ prepared }) => prepared.flatMap((one) => one.operation.statements)),
    );
    if (!sql) return this.#refuse({ running: cleared.running, refusal: tooMany('prepared statements', 'limits.maxPreparedStatements') });
    const flight = this.#takeOff(cleared, asked.text);
    if (portal) {
      delete portal.cleared;
      portal.flight = flight;
    }
    if (flight.needsDescription) {
      // Rows are masked by what the target says of their columns, and the agent need not have asked.
      this.relay.ask({ kind: 'describe', ours: true, op: flight }, describePortal(name));
    }
    this.relay.ask({ kind: 'execute', op: flight, copies: copiesOf(asked.operation), ...sql }, frame.bytes);
  }

  #close(frame: Frame): void {
    const { target, name } = decodeClose(frame.body);
    const names = target === 'statement' ? this.relay.names.statements : this.relay.names.portals;
    const before = names.of(name) as never;
    this.relay.ask({ kind: 'close', confirm: () => names.closed(name, before) }, frame.bytes);
  }

  /** What an Execute asks for: everything that the portal's name and its statement's name may stand for. */
  #askedBy(portals: readonly Portal[]): Asked {
    const prepared = portals.flatMap((portal) => portal.prepared);
    const newest = prepared.at(-1)!;
    const { parameters } = portals.at(-1)!;
    const operation = together(newest.operation, prepared.slice(0, -1));
    return this.#resolved({ ...newest, operation, ambiguous: prepared.length > 1, ...(parameters.length > 0 ? { parameters } : {}) });
  }

  /** SQL `EXECUTE name` is what it executes, and SQL `FETCH FROM name` what was bound to the portal of that name. */
  #resolved(asked: Asked): Asked {
    const executed = withPrepared(asked.operation, (name) => this.relay.names.prepared(name));
    return { ...asked, operation: withPortals(executed, (name) => this.relay.names.bound(name).flatMap(({ prepared }) => prepared)) };
  }

  /** The decision that an operation would get; a policy that can't answer and a mask that can't be applied count as denials. */
  async #foreseen(asked: Asked, portal?: Portal): Promise<Verdict['decision']> {
    const verdict = await this.#verdict(asked);
    if (!verdict || verdict.decision === 'deny') return 'deny';
    if (!portal) return verdict.decision;
    const planned = await this.relay.planMasks(asked, verdict);
    portal.bound = { revision: verdict.revision, planned };
    return 'refusal' in planned ? 'deny' : verdict.decision;
  }

  async #verdict({ operation, parameters }: Asked): Promise<Verdict | undefined> {
    try {
      return await foresee(this.relay.session, { operation, ...(parameters ? { parameters } : {}) });
    } catch (error) {
      if (error instanceof Undecided) return undefined;
      throw error;
    }
  }

  /** Whether what was judged when the portal was bound or last executed holds: the same policy, and not denied by now. */
  async #stillAllowed(portal: Portal, asked: Asked): Promise<boolean> {
    const verdict = await this.#verdict(asked);
    return verdict !== undefined && verdict.decision !== 'deny' && verdict.revision === portal.bound?.revision;
  }

  #plan(asked: Asked, verdict: Verdict, portal: Portal | undefined): Planned<StringPlan> | Promise<Planned<StringPlan>> {
    if (asked.operation.classes.includes('postgres.session.set_parsing'))
      return {
        refusal: protocolRefusal('how the server reads statements stays as it is', 'leave the parser’s settings at their defaults'),
      };
    if (portal?.bound?.revision === verdict.revision) return portal.bound.planned;
    if (portal?.bound && verdict.masks.length > 0)
      return { refusal: protocolRefusal('the policy changed after this portal was bound', 'bind it again') };
    return this.relay.planMasks(asked, verdict);
  }

  #clear(asked: Asked, portal?: Portal): Promise<Cleared<StringPlan>> {
    const { operation, text, parameters } = asked;
    return this.relay.waiting((signal) =>
      clear<StringPlan>(this.relay.session, {
        operation,
        statement: text,
        ...(parameters ? { parameters } : {}),
        effect: effectOf(operation),
        signal,
        plan: (verdict) => this.#plan(asked, verdict, portal),
      }),
    );
  }

  #takeOff(cleared: Extract<Cleared<StringPlan>, { cleared: true }>, text: string): Flight {
    this.relay.intent(cleared.running.intent);
    const { session, host } = this.relay;
    const recording = session.record === 'full' ? new RowRecording(host.limits.recordedRowsMaxBytes) : undefined;
    return new Flight(cleared.running, { plans: cleared.plan, text, rowLimit: cleared.verdict.rowLimit, recording });
  }

  /** In place of a Query or FunctionCall: fails in its turn, then ReadyForQuery. */
  #refuseQuery(refused: Refused): void {
    this.relay.ask({ kind: 'query', op: this.relay.refused(refused) }, poisonQuery());
  }

  /** In place of a message of the extended protocol: fails in its turn, then nothing up to the next Sync. */
  #refuse(refused: Refused): void {
    this.relay.ask({ kind: 'parse', op: this.relay.refused(refused), fails: true }, poisonParse());
  }
}
