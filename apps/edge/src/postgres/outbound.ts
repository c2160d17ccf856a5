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
import { Delivery } from './delivery.js';
import type { Flight } from './flight.js';
import { refusalError } from './refusals.js';
import type { Relay } from './relay.js';

/** From this size on a value that needs no mask is passed on in pieces and never held whole. */
const STREAMED_FROM_BYTES = 64 * 1024;

/** Target → agent: each message is told whose it is, masked, counted and passed on. */
export class Outbound {
  readonly #delivery: Delivery;
  readonly #scanner: FrameScanner;

  constructor(
    private readonly relay: Relay,
    maxFrameBytes: number,
  ) {
    this.#delivery = new Delivery(relay.agent);
    this.#scanner = new FrameScanner(
      { maxFrameBytes },
      {
        takes: (type, bodyBytes) =>
          bodyBytes >= STREAMED_FROM_BYTES && (type === BackendType.copyData || (type === BackendType.dataRow && !this.#flight?.masker)),
        begin: (type, bodyBytes) => {
          if (this.#flight) this.#flight.rows++;
          this.#flight?.recording?.cut();
          this.#delivery.pass(frameHeader(type, bodyBytes), this.#flight);
        },
        piece: (bytes, start, end) => this.#delivery.pass(bytes.subarray(start, end), this.#flight),
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
    const { exchanges } = this.relay;
    const head = exchanges.head;
    const flight = head?.op;
    const pass = (): void => this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    switch (type) {
      case BackendType.dataRow: {
        if (!flight) return this.relay.violated('the target sent a row that nobody asked for');
        flight.rows++;
        if (flight.rowLimit !== undefined && flight.rows > flight.rowLimit) return this.relay.tooManyRows(flight.rowLimit);
        if (flight.masker) return this.#masked(flight, type, bytes, start, end);
        flight.recording?.row(bytes.subarray(start, end));
        return pass();
      }
      case BackendType.copyData:
        if (flight) flight.rows++;
        return pass();
      case BackendType.copyDone:
      case BackendType.copyOutResponse:
      case BackendType.parameterDescription:
      case BackendType.notificationResponse:
        return pass();
      case BackendType.copyInResponse:
        exchanges.copyInStarted();
        return pass();
      case BackendType.parseComplete:
      case BackendType.bindComplete:
      case BackendType.closeComplete:
        pass();
        head?.confirm?.();
        return exchanges.pop();
      case BackendType.rowDescription:
        flight?.described(decodeRowDescription(bytes.subarray(start, end)).columns as readonly ResultField[], this.relay.host.masks.values);
        return head?.kind === 'query' ? pass() : this.#described(head?.ours === true, pass);
      case BackendType.noData:
        return this.#described(head?.ours === true, pass);
      case BackendType.commandComplete:
        flight?.tagged(decodeCommandComplete(bytes.subarray(start, end)).tag);
        pass();
        return this.#executed(flight);
      case BackendType.emptyQueryResponse:
        pass();
        return this.#executed(flight);
      case BackendType.portalSuspended:
        pass();
        return exchanges.pop();
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
    if (flight) this.#complete(flight, flight.error ? 'error' : 'ok');
  }

  #complete(flight: Flight, outcome: 'ok' | 'error'): void {
    this.#delivery.settle();
    this.relay.complete(flight, outcome);
  }

  #failed(bytes: Buffer, start: number, end: number): void {
    const { exchanges } = this.relay;
    const flight = exchanges.head?.op;
    const { fields } = decodeErrorResponse(bytes.subarray(start, end));
    if (flight?.refusal) this.#delivery.pass(refusalError(flight.refusal), flight);
    else if (this.relay.masksInReach(flight))
      this.#delivery.pass(encodeErrorResponse({ kind: 'errorResponse', fields: scrubbed(fields, flight) }), flight);
    else this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    if (flight && !flight.refusal) flight.error = { code: fields.code ?? 'XX000' };
    for (const over of exchanges.failed()) {
      over.reject?.();
      if (over.op) this.#complete(over.op, 'error');
    }
  }

  #ready(bytes: Buffer, start: number, end: number): void {
    const { exchanges } = this.relay;
    const { head } = exchanges;
    if (head?.kind === 'query' && head.op) {
      if (!head.op.error && !head.op.refusal) head.confirm?.();
      this.#complete(head.op, head.op.error ? 'error' : 'ok');
    }
    if (head?.kind === 'query' || head?.kind === 'sync') exchanges.pop();
    this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), undefined);
    this.relay.ready(decodeReadyForQuery(bytes.subarray(start, end)).status);
  }

  #notice(bytes: Buffer, start: number, end: number, flight: Flight | undefined): void {
    if (!this.relay.masksInReach(flight)) return this.#delivery.pass(bytes.subarray(start - FRAME_HEADER_BYTES, end), flight);
    const { fields } = decodeErrorResponse(bytes.subarray(start, end));
    this.#delivery.pass(encodeNoticeResponse({ kind: 'noticeResponse', fields: scrubbed(fields, flight) }), flight);
  }
}

function scrubbed(fields: ErrorFields, flight: Flight | undefined): ErrorFields {
  return errorFieldsFromLetters(scrubMessage(errorFieldsByLetter(fields), flight?.text ?? ''));
}
