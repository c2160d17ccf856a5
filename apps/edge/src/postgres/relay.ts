import type { Socket } from 'node:net';
import { type StringPlan, UNMASKED } from '@sallyport/masking';
import type { PostgresOperation } from '@sallyport/operation';
import type { EndReason, Planned, Session } from '@sallyport/session';
import type { Verdict } from '@sallyport/verdict';
import { FRAME_HEADER_BYTES, FrontendType, FrameScanner, WireError } from '@sallyport/wire-postgres';
import { ClientText } from './client-text.js';
import type { Conversation, Frame, Refused } from './conversation.js';
import { endOf } from './broken.js';
import { type Exchange, Exchanges } from './exchanges.js';
import { Flight } from './flight.js';
import { Inbound } from './inbound.js';
import { Outbound } from './outbound.js';
import type { Portal } from './portal.js';
import { lastWords } from './refusals.js';
import type { RelayHost } from './relay-host.js';
import { SessionNames } from './session-names.js';
import type { Asked } from './statements.js';

/** One live Postgres session: the agent's socket, the target's, and what is known of the conversation between them. */
export class Relay implements Conversation {
  readonly exchanges = new Exchanges<Flight>();
  readonly names: SessionNames;
  readonly text = new ClientText();
  readonly #inbound = new Inbound(this);
  readonly #outbound: Outbound;
  readonly #scanner: FrameScanner;
  #frames: Frame[] = [];
  #frameBytes = 0;
  #pumping = false;
  #handled: Promise<void> = Promise.resolve();
  #held: AbortController | undefined;
  #gated: Buffer[] = [];
  readonly #settling: (() => void)[] = [];
  #lastIntent = -1n;
  #corked = false;
  /** The agent has said goodbye; what it sent before may still wait for its turn. */
  #leaving = false;
  #terminated = false;
  #targetGone = false;
  #over = false;

  constructor(
    readonly session: Session,
    readonly agent: Socket,
    private readonly target: Socket,
    readonly host: RelayHost,
  ) {
    this.names = new SessionNames(
      host.limits,
      this.exchanges,
      (text) => this.operationOf(text),
      (portal) => this.abandoned(portal),
    );
    this.#scanner = new FrameScanner({ maxFrameBytes: host.limits.maxFrameBytes });
    this.#outbound = new Outbound(this, host.limits.maxFrameBytes);
  }

  get over(): boolean {
    return this.#over;
  }

  start(fromAgent: Buffer, fromTarget: Buffer): void {
    this.agent.on('data', (chunk: Buffer) => this.#fromAgent(chunk));
    this.agent.on('close', () => this.#agentGone());
    this.agent.on('error', () => this.agent.destroy());
    this.agent.on('drain', () => this.#readTarget());
    this.agent.setTimeout(this.host.limits.idleTimeoutMs, () => this.#idle());
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
        this.#frameBytes += end - start + FRAME_HEADER_BYTES;
        if (type === FrontendType.terminate) this.#leaving = true;
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.violated(error.message);
    }
    if (this.#frameBytes > this.host.limits.maxPipelinedBytes) this.agent.pause();
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#handled = this.#handleFrames();
  }

  /** One message at a time, in order. Stops where the next one can't be understood before the target has answered. */
  async #handleFrames(): Promise<void> {
    try {
      while (this.#frames.length > 0 && !this.#over) {
        const frames = this.#frames;
        this.#frames = [];
        for (const [i, frame] of frames.entries()) {
          if (this.#over) return;
          if (this.#mustWait) {
            this.#frames = [...frames.slice(i), ...this.#frames];
            return;
          }
          await this.#inbound.handle(frame);
          this.#frameBytes -= frame.bytes.length;
        }
        this.#readAgent();
      }
    } catch (error) {
      this.#broken(error);
    } finally {
      this.#pumping = false;
    }
  }

  get #mustWait(): boolean {
    return this.exchanges.mayCopyIn || this.exchanges.size >= MAX_UNANSWERED;
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

  /** Sends a message that has an answer. What came behind an error, the target would ignore: that is over at once. */
  ask(exchange: Exchange<Flight>, bytes: Uint8Array): void {
    if (!this.#over && this.exchanges.push(exchange)) return this.toTarget(bytes);
    exchange.reject?.();
    if (exchange.op) this.complete(exchange.op, 'cancelled');
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

  operationOf(text: string): PostgresOperation {
    return this.host.statements.of(text);
  }

  planMasks(asked: Asked, verdict: Verdict): Planned<StringPlan> | Promise<Planned<StringPlan>> {
    return this.host.masks.plan(asked, verdict);
  }

  /** What an operation does to names, if the target does it. Undefined when there would be too many of them. */
  sqlNames(asked: Asked, own: PostgresOperation['statements']): Pick<Exchange<Flight>, 'confirm' | 'reject'> | undefined {
    const names = this.names.bySql(asked, own);
    if (names) this.host.masks.changed(asked.operation);
    return names;
  }

  /** The operation behind a refusal takes part in the conversation: its error comes in its turn. */
  refused({ running, refusal }: Refused): Flight {
    this.host.refused(refusal.kind);
    if (running) this.intent(running.intent);
    return new Flight(running, { plans: UNMASKED, text: '', refusal });
  }

  /** A portal is gone, or will be judged anew: what was begun with it is over. */
  abandoned(portal: Portal): void {
    const { cleared, flight } = portal;
    delete portal.cleared;
    delete portal.flight;
    if (cleared) this.unused(cleared);
    if (!flight || flight.done) return;
    flight.abandoned = true;
    this.suspended(flight);
  }

  /** It was cleared and is never asked of the target: its end is on record. */
  unused({ running }: Pick<NonNullable<Portal['cleared']>, 'running'>): void {
    this.complete(new Flight(running, { plans: UNMASKED, text: '' }), 'cancelled');
  }

  /** The target has answered for now, and goes on when it is asked to. */
  suspended(flight: Flight): void {
    if (flight.abandoned && !this.exchanges.has(flight)) this.complete(flight, 'ok');
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
    if (this.#frames.length > 0) this.#pump();
  }

  #readTarget(): void {
    if (this.#gated.length === 0 && !this.agent.writableNeedDrain) this.target.resume();
  }

  /** Puts the end of an operation on record, once. */
  complete(flight: Flight, outcome: Parameters<Flight['end']>[0]): void {
    if (flight.done || !flight.running) return;
    flight.done = true;
    this.#outbound.settle();
    try {
      const rows = flight.recording?.event(flight.running.operation);
      if (rows) this.session.recorder.write('output.recorded', rows);
      this.session.completed(flight.running, flight.end(flight.refusal ? 'refused' : outcome));
    } catch (error) {
      this.#broken(error);
    }
  }

  /** ReadyForQuery, the answer to this exchange. Outside a transaction no portal from before it has survived. */
  ready(status: 'I' | 'T' | 'E', exchange: number): void {
    if (status === 'I') this.names.portals.dropBefore(exchange);
    if (this.exchanges.size > 0) return;
    this.host.masks.settled(status);
    for (const resolve of this.#settling.splice(0)) resolve();
  }

  parameterStatus(name: string, value: string): void {
    this.text.parameterStatus(name, value);
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

  /** Neither side has said anything for long. What runs or waits for people isn't idle. */
  #idle(): void {
    if (this.exchanges.size > 0 || this.#held) return;
    this.end('limit', 'limits.idleTimeout', lastWords('57P05', 'terminating connection due to idle-session timeout'));
  }

  #agentGone(): void {
    if (this.#terminated) return;
    if (!this.#leaving) return this.end('client');
    // As at any server, what was sent before a goodbye is done. Nobody is waited for any longer than that takes.
    setTimeout(() => this.end('client', 'the agent had left'), this.host.limits.terminateTimeoutMs).unref();
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
    const { reason, detail, words, isOurs } = endOf(error);
    this.end(reason, detail, words);
    if (isOurs) this.host.fault(error);
  }

  /** A cancel request: what waits here stops waiting, and the target is asked to stop what runs there. */
  async cancel(): Promise<void> {
    this.#held?.abort();
    if (this.exchanges.size > 0 || !this.#held) await this.host.cancelTarget();
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
    if (this.#outbound.finish() && lastWords && this.agent.writable) this.agent.end(lastWords);
    else this.agent.end();
    setTimeout(() => this.agent.destroy(), LINGER_MS).unref();
    for (const resolve of this.#settling.splice(0)) resolve();
    this.host.masks.close();
    this.host.ended(reason, detail, this.#finished(running && reason !== 'target' ? 'cancelled' : 'lost'));
  }

  /** Every operation that was begun is told to its end; after that nothing more is put on record. */
  async #finished(outcome: 'cancelled' | 'lost'): Promise<void> {
    // The handling that called for the end has its promise only when it has returned.
    await Promise.resolve();
    await this.#handled;
    for (const { op } of this.exchanges.drain()) if (op) this.complete(op, outcome);
    this.names.portals.dropBefore(Infinity);
  }
}

/**
 * Messages that the target has yet to answer; then no more are read from the agent. Well above what a server keeps to itself before
 * it is asked to flush (8 KiB of answers of five bytes), or it would never be asked.
 */
const MAX_UNANSWERED = 10_000;

/** For the last words to arrive. */
const LINGER_MS = 2000;
