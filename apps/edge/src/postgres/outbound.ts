import {
  BackendType,
  decodeCommandComplete,
  decodeErrorResponse,
  decodeParameterStatus,
  decodeReadyForQuery,
  decodeRowDescription,
  encodeErrorResponse,
  encodeNoticeResponse,
  type ErrorFields,
  errorFieldsByLetter,
  errorFieldsFromLetters,
  FRAME_HEADER_BYTES,
  frameHeader,
  FrameScanner,
} from '@sallyport/wire-postgres';
import { type ResultField, scrubMessage } from '@sallyport/masking';
import type { Conversation } from './conversation.js';
import { Delivery } from './delivery.js';
import type { Flight } from './flight.js';
import { refusalError } from './refusals.js';

/** From this size on a value that needs no mask is passed on in pieces and never held whole. */
const STREAMED_FROM_BYTES = 64 * 1024;

/** Target → agent: each message is told whose it is, masked, counted and passed on. */
export class Outbound {
  readonly #delivery: Delivery;
  readonly #scanner: FrameScanner;
  #streaming = false;

  constructor(
    private readonly relay: Conversation,
    maxFrameBytes: number,
  ) {
    this.#delivery = new Delivery(relay.agent);
    this.#scanner = new FrameScanner(
      { maxFrameBytes },
      {
        takes: (type, bodyBytes) =>
          bodyBytes >= STREAMED_FROM_BYTES && (type === BackendType.copyData || (type === BackendType.dataRow && !this.#flight?.masker)),
        begin: (type, bodyBytes) => {
          if (!this.#counted()) return;
          this.#flight?.recording?.cut();
          this.#delivery.pass(frameHeader(type, bodyBytes), this.#flight);
        },
        piece: (bytes, start, end, left) => {
          if (this.relay.over) return;
          this.#streaming = left > 0;
          this.#delivery.pass(bytes.subarray(start, end), this.#flight);
        },
      },
    );
  }

  get #flight(): Flight | undefined {
    return this.relay.exchanges.head?.op;
  }

  /** False when the agent can't keep up. @throws WireError for what no server sends. */
  consume(chunk: Buffer): boolean {
    this.#scanner.push(chunk, (type, bytes, start, end) => this.#message(type, bytes, start, end));
    return this.#delivery.flush();
  }

  #message(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.relay.over) return;
    const { exchanges } = this.relay;
    const head = exchanges.head;
    const flight = head?.op;
    const pass = (): void => this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    switch (type) {
      case BackendType.dataRow:
        if (!flight || !this.#counted()) return;
        if (flight.masker) return this.#masked(flight, type, bytes, start, end);
        flight.recording?.row(bytes.subarray(start, end));
        return pass();
      case BackendType.copyData:
        return this.#counted() ? pass() : undefined;
      case BackendType.copyOutResponse:
        return exchanges.copyOutStarted() ? pass() : this.#outOfTurn(type);
      case BackendType.copyDone:
      case BackendType.parameterDescription:
      case BackendType.notificationResponse:
        return pass();
      case BackendType.copyInResponse:
        return exchanges.copyInStarted() ? pass() : this.#outOfTurn(type);
      case BackendType.parseComplete:
      case BackendType.bindComplete:
      case BackendType.closeComplete:
        if (!head || head.kind !== ANSWERS[type]) return this.#outOfTurn(type);
        pass();
        head.confirm?.();
        exchanges.pop();
        return;
      case BackendType.rowDescription:
        if (!head || (head.kind !== 'query' && head.kind !== 'describe')) return this.#outOfTurn(type);
        flight?.described(decodeRowDescription(bytes.subarray(start, end)).columns as readonly ResultField[], this.relay.host.masks.values);
        return head.kind === 'query' ? pass() : this.#described(head.ours === true, pass);
      case BackendType.noData:
        return head?.kind === 'describe' ? this.#described(head.ours === true, pass) : this.#outOfTurn(type);
      case BackendType.commandComplete:
        if (head?.kind !== 'query' && head?.kind !== 'execute') return this.#outOfTurn(type);
        flight?.tagged(decodeCommandComplete(bytes.subarray(start, end)).tag);
        pass();
        return this.#executed(flight);
      case BackendType.emptyQueryResponse:
        if (head?.kind !== 'query' && head?.kind !== 'execute') return this.#outOfTurn(type);
        pass();
        return this.#executed(flight);
      case BackendType.portalSuspended:
        if (head?.kind !== 'execute') return this.#outOfTurn(type);
        pass();
        exchanges.pop();
        if (flight) flight.awaited--;
        return flight && this.relay.suspended(flight);
      case BackendType.errorResponse:
        return this.#failed(bytes, start, end);
      case BackendType.readyForQuery:
        return this.#ready(bytes, start, end);
      case BackendType.noticeResponse:
        return this.#notice(bytes, start, end, flight);
      case BackendType.parameterStatus: {
        const { name, value } = decodeParameterStatus(bytes.subarray(start, end));
        pass();
        return this.relay.parameterStatus(name, value);
      }
      default:
        return this.relay.violated(`the target sent a message of type 0x${type.toString(16)}, which has no place here`);
    }
  }

  /** One more row for the operation that is answered. False when it may not have it, or there is none. */
  #counted(): boolean {
    const { head } = this.relay.exchanges;
    if (!head?.op || (head.kind !== 'query' && head.kind !== 'execute')) {
      this.relay.violated('the target sent a row that nobody asked for');
      return false;
    }
    const { rowLimit } = head.op;
    if (++head.op.rows <= (rowLimit ?? Infinity)) return true;
    this.relay.tooManyRows(rowLimit!);
    return false;
  }

  /** The answers no longer fit the questions: nothing can be told to be masked any more. */
  #outOfTurn(type: number): void {
    this.relay.violated(`the target sent a message of type 0x${type.toString(16)} out of turn`);
  }

  #masked(flight: Flight, type: number, bytes: Buffer, start: number, end: number): void {
    const body = bytes.subarray(start, end);
    const masked = flight.masker!.mask(body);
    flight.recording?.row(masked);
    if (masked === body) return this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    this.#delivery.pass(frameHeader(type, masked.length), flight);
    this.#delivery.pass(masked, flight);
  }

  #described(ours: boolean, pass: () => void): void {
    this.relay.exchanges.pop();
    if (!ours) pass();
  }

  /** A simple query goes on to its ReadyForQuery; an Execute is over. */
  #executed(flight: Flight | undefined): void {
    const { head } = this.relay.exchanges;
    if (head?.kind !== 'execute') return flight?.nextStatement();
    head.confirm?.();
    this.relay.exchanges.pop();
    // Executed again ahead of its end: what that brings belongs to it too.
    if (flight && --flight.awaited <= 0) this.relay.complete(flight, flight.error ? 'error' : 'ok');
  }

  /** Passes on what may still be passed on. False when it ends in the middle of a message, behind which nothing can be said. */
  finish(): boolean {
    this.#delivery.flush();
    return !this.#streaming;
  }

  /** Counts what was collected into the digests, before an end is put on record. */
  settle(): void {
    this.#delivery.settle();
  }

  #failed(bytes: Buffer, start: number, end: number): void {
    const { exchanges } = this.relay;
    const flight = exchanges.head?.op;
    const { fields } = decodeErrorResponse(bytes.subarray(start, end));
    // The end of the connection is the target's own to tell.
    const ends = fields.severityNonLocalized === 'FATAL' || fields.severityNonLocalized === 'PANIC';
    if (flight?.refusal && !ends) this.#delivery.pass(refusalError(flight.refusal), flight);
    else if (this.relay.masksInReach(flight))
      this.#delivery.pass(encodeErrorResponse({ kind: 'errorResponse', fields: scrubbed(fields, flight) }), flight);
    else this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    if (flight && !flight.refusal) flight.error = { code: fields.code ?? 'XX000' };
    for (const over of exchanges.failed()) {
      over.reject?.();
      if (over.op) this.relay.complete(over.op, 'error');
    }
  }

  #ready(bytes: Buffer, start: number, end: number): void {
    const { exchanges } = this.relay;
    const { head } = exchanges;
    if (head?.kind !== 'query' && head?.kind !== 'sync') return this.#outOfTurn(BackendType.readyForQuery);
    if (head.kind === 'query' && head.op) {
      if (head.op.error || head.op.refusal) head.reject?.();
      else head.confirm?.();
      this.relay.complete(head.op, head.op.error ? 'error' : 'ok');
    }
    const answered = exchanges.pop();
    this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), undefined);
    this.relay.ready(decodeReadyForQuery(bytes.subarray(start, end)).status, answered);
  }

  #notice(bytes: Buffer, start: number, end: number, flight: Flight | undefined): void {
    if (!this.relay.masksInReach(flight)) return this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    const { fields } = decodeErrorResponse(bytes.subarray(start, end));
    this.#delivery.pass(encodeNoticeResponse({ kind: 'noticeResponse', fields: scrubbed(fields, flight) }), flight);
  }
}

/** What each of these answers. */
const ANSWERS: Readonly<Record<number, 'parse' | 'bind' | 'close'>> = {
  [BackendType.parseComplete]: 'parse',
  [BackendType.bindComplete]: 'bind',
  [BackendType.closeComplete]: 'close',
};

function scrubbed(fields: ErrorFields, flight: Flight | undefined): ErrorFields {
  return errorFieldsFromLetters(scrubMessage(errorFieldsByLetter(fields), flight?.text ?? ''));
}
