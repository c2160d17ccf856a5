import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { signRecord } from '@sallyport/trust';
import { randomUUID } from 'node:crypto';
import { Gathering, type GatheringLimits } from './gathering.js';
import { RequestError, toWireError, type WireError } from './request-error.js';
import type { Asked } from './request-intake.js';
import { encodeReplies, jsonOf, repliesTopic, replyJson } from './wire.js';

export interface ReplySenderOptions extends GatheringLimits {
  readonly bus: Bus;
  readonly service: string;
  readonly key: SigningKey;
  readonly maxRecordBytes: number;
  onError(error: unknown): void;
}

/** One answer of a handler. */
export interface Answer {
  readonly n: number;
  readonly last: boolean;
  readonly data?: unknown;
  readonly error?: WireError;
}

interface Unsent {
  readonly asked: Asked;
  readonly answer: Answer;
  readonly json: string;
  readonly bytes: number;
}

interface Client {
  readonly replies: Gathering<Unsent>;
  /** It was said once that its replies are dropped. */
  dropping: boolean;
}

/** Replies, gathered for each client. A client whose partition is slow has its own queue, with an end. */
export class ReplySender {
  readonly #server = randomUUID();
  /** Only of clients for which something is under way. */
  readonly #clients = new Map<string, Client>();

  constructor(private readonly options: ReplySenderOptions) {}

  send(asked: Asked, answer: Answer): void {
    try {
      const { n, last, data, error } = answer;
      const json = replyJson({ id: asked.request.id, n, last, ...(error ? { error } : {}) }, error ? undefined : jsonOf(data));
      const bytes = Buffer.byteLength(json);
      const { maxRecordBytes } = this.options;
      if (bytes > maxRecordBytes) throw new RequestError('BUS_PAYLOAD_TOO_LARGE', `an answer of ${bytes} bytes`);
      const client = this.#of(asked);
      if (client.replies.add({ asked, answer, json, bytes })) return;
      if (!client.dropping)
        this.options.onError(new RequestError('BUS_TOO_MANY_REQUESTS', `replies to ${asked.caller.name} don't get away and are dropped`));
      client.dropping = true;
    } catch (error) {
      this.#failed(asked, answer, error);
    }
  }

  /** Resolves when everything was sent. */
  async sent(): Promise<void> {
    while (this.#clients.size > 0) await Promise.all([...this.#clients.values()].map(({ replies }) => replies.sent()));
  }

  #of({ client, caller, replyPartition }: Asked): Client {
    const place = JSON.stringify([caller.name, client, replyPartition]);
    const known = this.#clients.get(place);
    if (known) return known;
    const replies = new Gathering<Unsent>({
      ...this.options,
      inFlight: () => 1,
      send: (items) => this.#produce(items),
      onIdle: () => this.#clients.delete(place),
    });
    const made = { replies, dropping: false };
    this.#clients.set(place, made);
    return made;
  }

  async #produce(items: readonly Unsent[]): Promise<void> {
    const { bus, service, key, onError } = this.options;
    const { caller, client, replyPartition } = items[0]!.asked;
    const topic = repliesTopic(service);
    try {
      const head = { to: caller.name, client, server: this.#server };
      const value = encodeReplies(
        head,
        items.map(({ json }) => json),
      );
      await bus.produce(topic, [signRecord(key, topic, { key: client, value, partition: replyPartition })]);
    } catch (error) {
      onError(error);
      for (const { asked, answer } of items) this.#failed(asked, answer, error);
    }
  }

  /** Too large, or no JSON: who asked gets to know that much. */
  #failed(asked: Asked, answer: Answer, error: unknown): void {
    if (answer.error) return;
    const { code } = toWireError(error);
    this.send(asked, { n: answer.n, last: true, error: { code, message: 'the answer could not be sent' } });
  }
}
