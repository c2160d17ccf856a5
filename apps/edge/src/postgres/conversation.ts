import type { Socket } from 'node:net';
import type { StringPlan } from '@sallyport/masking';
import type { PostgresOperation } from '@sallyport/operation';
import type { Cleared, Planned, Refusal, Session } from '@sallyport/session';
import type { Verdict } from '@sallyport/verdict';
import type { ClientText } from './client-text.js';
import type { Exchange, Exchanges } from './exchanges.js';
import type { Flight } from './flight.js';
import type { Portal } from './portal.js';
import type { RelayHost } from './relay-host.js';
import type { SessionNames } from './session-names.js';
import type { Asked } from './statements.js';

/** One frontend message, whole. `bytes` is the frame with its header. */
export interface Frame {
  readonly type: number;
  readonly body: Buffer;
  readonly bytes: Buffer;
}

export type Refused = Pick<Extract<Cleared<unknown>, { cleared: false }>, 'running' | 'refusal'> & { readonly refusal: Refusal };

/** What both directions of one session share, as the relay keeps it: the sockets, what is under way, what names stand for. */
export interface Conversation {
  readonly session: Session;
  readonly agent: Socket;
  readonly host: RelayHost;
  readonly exchanges: Exchanges<Flight>;
  readonly names: SessionNames;
  readonly text: ClientText;
  /** The session has ended: nothing more is read, sent or delivered. */
  readonly over: boolean;

  // agent → target
  toTarget(bytes: Uint8Array): void;
  ask(exchange: Exchange<Flight>, bytes: Uint8Array): void;
  intent(offset: bigint): void;
  waiting<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  operationOf(text: string): PostgresOperation;
  planMasks(asked: Asked, verdict: Verdict): Planned<StringPlan> | Promise<Planned<StringPlan>>;
  sqlNames(asked: Asked, own: PostgresOperation['statements']): Pick<Exchange<Flight>, 'confirm' | 'reject'> | undefined;
  refused(refused: Refused): Flight;
  abandoned(portal: Portal): void;
  unused(cleared: Pick<NonNullable<Portal['cleared']>, 'running'>): void;
  terminated(bytes: Uint8Array): void;

  // target → agent
  complete(flight: Flight, outcome: Parameters<Flight['end']>[0]): void;
  suspended(flight: Flight): void;
  ready(status: 'I' | 'T' | 'E', exchange: number): void;
  parameterStatus(name: string, value: string): void;
  masksInReach(flight: Flight | undefined): boolean;
  tooManyRows(limit: number): void;

  /** A peer broke the protocol. */
  violated(what: string): void;
}
