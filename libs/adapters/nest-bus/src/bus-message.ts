export interface MessageOptions {
  /** Of this request alone. */
  readonly timeoutMs?: number;
  /**
   * When no answer has come by then, the same request goes once more to another partition, and the first answer counts. Only for what may
   * be carried out twice.
   */
  readonly resendAfterMs?: number;
  /** Of an event: records with the same key stay in order. */
  readonly key?: string;
}

/** Data with options, for `send` and `emit`. */
export class BusMessage<Data = unknown> {
  constructor(
    readonly data: Data,
    readonly options: MessageOptions = {},
  ) {}

  static of(data: unknown): BusMessage {
    return data instanceof BusMessage ? data : new BusMessage(data);
  }
}
