/** A type byte that this codec doesn't know, or that has no meaning at this point of the conversation. To be refused. */
export interface UnknownMessage {
  readonly kind: 'unknown';
  readonly type: number;
}
