import type { Socket } from 'node:net';
import { MaskingError, type StringPlan, UNMASKED, type ValueSettings } from '@sallyport/masking';
import type { PostgresOperation } from '@sallyport/operation';
import { type EndReason, type Planned, RecordUnavailable, type Session } from '@sallyport/session';
import type { Verdict } from '@sallyport/verdict';
import { decodeText, FRAME_HEADER_BYTES, FrameScanner, WireError } from '@sallyport/wire-postgres';
import { type Exchange, Exchanges } from './exchanges.js';
import { Flight } from './flight.js';
import { type Frame, Inbound, type Portal, type Refused } from './inbound.js';
import { Names } from './names.js';
import { Outbound } from './outbound.js';
import { lastWords } from './refusals.js';
import type { Asked, Prepared, Statements } from './statements.js';

export interface RelayLimits {
  readonly maxFrameBytes: number;
  /** What an agent may send ahead while an operation waits; then its socket isn't read. */
  readonly maxPipelinedBytes: number;
  readonly maxPreparedStatements: number;
  readonly maxPortals: number;
  /** Of the rows of one operation that are kept where `record` is `full`. */
  readonly recordedRowsMaxBytes: number;
  /** How long the target may take to finish after the agent said goodbye. */
  readonly terminateTimeoutMs: number;
}

/** How this session's results are masked (P5). */
export interface SessionMasks {
  readonly values: ValueSettings;
  /** Some verdict of this session had masks: from then on errors and notices are looked at too. */
  readonly active: boolean;
  /** Nothing is under way at the target, and what it reported is up to date. */
  settled(): void;
  close(): void;
  plan(asked: Asked, verdict: Verdict): Planned<StringPlan> | Promise<Planned<StringPlan>>;
  /** The target may mean something else by the same names from here on. */
  changed(operation: PostgresOperation): void;
  parameterStatus(name: string, value: string): void;
}

/** What the relay needs of the edge around it. */
export interface RelayHost {
  readonly limits: RelayLimits;
  readonly statements: Statements;
  readonly masks: SessionMasks;
  /** Cancels what runs at the target; never rejects. */
  cancelTarget(): Promise<void>;
  /** The closing event is to be written and the credential dropped. Called once. */
  ended(reason: EndReason, detail?: string): void;
  refused(kind: string): void;
}

/** One live Postgres session: the agent's socket, the target's, and what is known of the conversation between them. */
export class Relay {
  readonly exchanges = new Exchanges<Flight>();
  readonly statements: Names<Prepared>;
  readonly portals: Names<Portal>;
  readonly #inbound = new Inbound(this);
  readonly #outbound: Outbound;
  readonly #scanner: FrameScanner;
  #frames: Frame[] = [];
  #frameBytes = 0;
  #pumping = false;
  #held: AbortController | undefined;
  #gated: Buffer[] = [];
  readonly #settling: (() => void)[] = [];
  #lastIntent = -1n;
  #corked = false;
  #terminated = false;
  #targetGone = false;
  #over = false;
  #clientEncoding = 'UTF8';

  constructor(
    readonly session: Session,
    readonly agent: Socket,
    private readonly target: Socket,
    readonly host: RelayHost,
  ) {
    this.statements = new Names(host.limits.maxPreparedStatements);
    this.portals = new Names(host.limits.maxPortals);
    this.#scanner = new FrameScanner({ maxFrameBytes: host.limits.maxFrameBytes });
    this.#outbound = new Outbound(this, host.limits.maxFrameBytes);
  }

  start(fromAgent: Buffer, fromTarget: Buffer): void {
    this.agent.on('data', (chunk: Buffer) => this.#fromAgent(chunk));
    this.agent.on('close', () => this.#agentGone());
    this.agent.on('error', () => this.agent.destroy());
    this.agent.on('drain', () => this.#readTarget());
    this.target.on('data', (chunk: Buffer) => this.#fromTarget(chunk));
    this.target.on('close', () => this.#targetClosed());
    this.target.on('error', () => this.target.destroy());
    this.target.on('drain', () => this.#readAgent());
    if (fromTarget.length > 0) this.#fromTarget(fromTarget);
    if (fromAgent.length > 0) this.#fromAgent(fromAgent);
    this.target.resume();
    this.agent.resume();
  }

  // --- agent → target

  #fromAgent(chunk: Buffer): void {
    if (this.#over || this.#terminated) return;
    try {
      this.#scanner.push(chunk, (type, bytes, start, end) => {
        this.#frames.push({ type, body: bytes.subarray(start, end), bytes: bytes.subarray(start - FRAME_HEADER_BYTES, end) });
        this.#frameBytes += end - start;
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.violated(error.message);
    }
    if (this.#frameBytes > this.host.limits.maxPipelinedBytes) this.agent.pause();
    void this.#pump();
  }

  /** One message at a time, in order. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#frames.length > 0 && !this.#over) {
        const frames = this.#frames;
        this.#frames = [];
        for (const frame of frames) {
          if (this.#over) return;
          await this.#inbound.handle(frame);
          this.#frameBytes -= frame.body.length;
        }
        this.#readAgent();
      }
    } catch (error) {
      this.#broken(error);
    } finally {
      this.#pumping = false;
    }
  }

  #readAgent(): void {
    if (this.#frameBytes <= this.host.limits.maxPipelinedBytes && !this.target.writableNeedDrain) this.agent.resume();
  }

  /** Resolves at the ReadyForQuery that leaves nothing under way; undefined when none is coming before the agent sends more. */
  settled(): Promise<void> | undefined {
    if (this.exchanges.size === 0) return Promise.resolve();
    if (!this.exchanges.endsReady) return undefined;
    return new Promise((resolve) => this.#settling.push(resolve));
  }

  toTarget(bytes: Uint8Array): void {
    if (this.#over || !this.target.writable) return;
    if (!this.#corked) {
      this.#corked = true;
      this.target.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.target.uncork();
      });
    }
    if (!this.target.write(bytes)) this.agent.pause();
  }

  /** The answer to everything up to here waits until this is durable (S3). */
  intent(offset: bigint): void {
    if (offset > this.#lastIntent) this.#lastIntent = offset;
  }

  /** Runs something that may wait for people; a cancel request or the end of the session stops the waiting. */
  async waiting<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const held = (this.#held = new AbortController());
    try {
      return await work(held.signal);
    } finally {
      if (this.#held === held) this.#held = undefined;
    }
  }

  /** A statement's text; undefined when it isn't in the client's encoding. */
  textOf(sql: Buffer): string | undefined {
    try {
      return decodeText(sql);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // In the other encodings that are let through, ASCII is ASCII: the parser sees what the server sees.
      return this.#clientEncoding === 'UTF8' ? undefined : sql.toString('latin1');
    }
  }

  /** What the protocol knows by a name that SQL can use too. */
  namedStatements(kind: 'prepared' | 'cursor', name: string): readonly Prepared[] {
    return kind === 'prepared'
      ? this.statements.of(name).filter(({ bySql }) => !bySql)
      : this.portals.of(name).flatMap((portal) => portal.prepared);
  }

  operationOf(text: string): PostgresOperation {
    return this.host.statements.of(text);
  }

  planMasks(asked: Asked, verdict: Verdict): Planned<StringPlan> | Promise<Planned<StringPlan>> {
    return this.host.masks.plan(asked, verdict);
  }

  /**
   * Names that SQL itself makes and drops (PREPARE, DEALLOCATE, DISCARD), as they will be if the target does it. Undefined when
   * there would be too many of them.
   */
  sqlNames(asked: Asked): Pick<Exchange<Flight>, 'confirm'> | undefined {
    const { operation } = asked;
    const dropped: (() => void)[] = [];
    for (const { kind, name } of operation.statements) {
      if (kind === 'prepare' && name !== undefined && !this.statements.propose(name, { ...asked, bySql: true })) return undefined;
      if (kind === 'deallocate' && name !== undefined) {
        const before = this.statements.of(name);
        dropped.push(() => this.statements.closed(name, before));
      }
      if ((kind === 'deallocate' && name === undefined) || kind === 'discard') dropped.push(() => this.statements.clear());
    }
    this.host.masks.changed(operation);
    return dropped.length === 0 ? {} : { confirm: () => dropped.forEach((drop) => drop()) };
  }

  /** The operation behind a refusal takes part in the conversation: its error comes in its turn. */
  refused({ running, refusal }: Refused): Flight {
    this.host.refused(refusal.kind);
    if (running) this.intent(running.intent);
    return new Flight(running, UNMASKED, '', refusal, undefined);
  }

  /** A portal that was approved and never executed. */
  abandoned(portal: Portal): void {
    if (!portal.cleared?.running || portal.flight) return;
    const flight = new Flight(portal.cleared.running, UNMASKED, '', undefined, undefined);
    this.complete(flight, 'cancelled');
    delete portal.cleared;
  }

  /** The agent said goodbye: what it sent before is still done, as at any server. */
  terminated(bytes: Uint8Array): void {
    this.toTarget(bytes);
    this.#terminated = true;
    setTimeout(() => this.end('client', 'the target went on after the agent had left'), this.host.limits.terminateTimeoutMs).unref();
  }

  // --- target → agent

  #fromTarget(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#gated.length > 0 || !this.session.recorder.isDurable(this.#lastIntent)) {
      this.#gated.push(chunk);
      this.target.pause();
      if (this.#gated.length === 1) void this.#openGate();
      return;
    }
    this.#deliver(chunk);
  }

  async #openGate(): Promise<void> {
    try {
      await this.session.recorder.durable(this.#lastIntent);
    } catch (error) {
      return this.#broken(error);
    }
    const gated = this.#gated;
    this.#gated = [];
    for (const chunk of gated) if (!this.#over) this.#deliver(chunk);
    this.#readTarget();
    if (this.#targetGone) this.end('target');
  }

  #deliver(chunk: Buffer): void {
    try {
      if (!this.#outbound.consume(chunk)) this.target.pause();
    } catch (error) {
      this.#broken(error);
    }
  }

  #readTarget(): void {
    if (this.#gated.length === 0 && !this.agent.writableNeedDrain) this.target.resume();
  }

  /** Puts the end of an operation on record, once. */
  complete(flight: Flight, outcome: Parameters<Flight['end']>[0]): void {
    if (flight.done || !flight.running) return;
    flight.done = true;
    try {
      const rows = flight.recording?.event(flight.running.operation);
      if (rows) this.session.recorder.write('output.recorded', rows);
      this.session.completed(flight.running, flight.end(flight.refusal ? 'refused' : outcome));
    } catch (error) {
      this.#broken(error);
    }
  }

  /** ReadyForQuery. Outside a transaction no portal has survived. */
  ready(status: 'I' | 'T' | 'E'): void {
    if (this.exchanges.size === 0) {
      this.host.masks.settled();
      for (const resolve of this.#settling.splice(0)) resolve();
    }
    if (status === 'I') this.#dropPortals();
  }

  #dropPortals(): void {
    for (const portal of this.portals.values()) this.abandoned(portal);
    this.portals.clear();
  }

  parameterStatus(name: string, value: string): void {
    if (name === 'client_encoding') this.#clientEncoding = value;
    // Whatever changed it: from here on the target would read statements otherwise than they are judged.
    if (name === 'standard_conforming_strings' && value !== 'on') this.violated('standard_conforming_strings was switched off');
    this.host.masks.parameterStatus(name, value);
  }

  /** Whether an error or notice could quote a masked value. */
  masksInReach(flight: Flight | undefined): boolean {
    return flight
      ? flight.plan.kind === 'refuse' || flight.plan.scrub || (this.host.masks.active && flight.running === undefined)
      : this.host.masks.active;
  }

  // --- ends

  #agentGone(): void {
    if (!this.#terminated) this.end('client');
  }

  #targetClosed(): void {
    this.#targetGone = true;
    if (this.#gated.length === 0) this.end(this.#terminated ? 'client' : 'target');
  }

  /** A peer broke the protocol. */
  violated(what: string): void {
    this.end('error', what, lastWords('08P01', what));
  }

  /** The verdict's row limit. What came before it was delivered; the rest isn't, and the session ends, as its state at the target is open. */
  tooManyRows(limit: number): void {
    this.end(
      'limit',
      `more than ${limit} rows`,
      lastWords('54000', `the result has more than the ${limit} rows that policy allows`, 'ask for fewer: LIMIT, or a narrower WHERE'),
    );
  }

  #broken(error: unknown): void {
    if (error instanceof WireError)
      return this.end('error', error.message, lastWords('08P01', 'the target sent what this edge does not understand'));
    if (error instanceof MaskingError) {
      return this.end(
        'error',
        error.code,
        lastWords('42501', 'a result could not be masked', 'the tables may have changed meanwhile: try again'),
      );
    }
    if (error instanceof RecordUnavailable || isRecordLoss(error)) {
      return this.end('record', 'the record was lost', lastWords('58030', 'the session can not be put on record any longer'));
    }
    this.end('error', error instanceof Error ? error.name : 'unknown', lastWords('XX000', 'the session ended by a fault of the edge'));
    throw error;
  }

  /** A cancel request: a hold stops waiting, or the target is asked to stop. */
  cancel(): void {
    if (this.#held) this.#held.abort();
    else void this.host.cancelTarget();
  }

  /** Ends the session, once: what runs is cancelled, both sides are closed, the end is handed to the host for the record. */
  end(reason: EndReason, detail?: string, lastWords?: Uint8Array): void {
    if (this.#over) return;
    this.#over = true;
    this.session.ending();
    this.#held?.abort();
    const running = this.exchanges.size > 0 && !this.#targetGone;
    const closeTarget = (): void => {
      this.target.destroy();
    };
    if (running) void this.host.cancelTarget().then(closeTarget);
    else this.target.end(closeTarget);
    if (lastWords && this.agent.writable) this.agent.end(lastWords);
    else this.agent.end();
    setTimeout(() => this.agent.destroy(), LINGER_MS).unref();
    for (const { op } of this.exchanges.drain()) if (op) this.complete(op, running && reason !== 'target' ? 'cancelled' : 'lost');
    this.#dropPortals();
    for (const resolve of this.#settling.splice(0)) resolve();
    this.host.masks.close();
    this.host.ended(reason, detail);
  }
}

/** For the last words to arrive. */
const LINGER_MS = 2000;

function isRecordLoss(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('JOURNAL_');
}
