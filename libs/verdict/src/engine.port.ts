/** What the policies are asked for: the entrypoints of the bundle. */
export type Entrypoint = 'sallyport/verdict' | 'sallyport/approval' | 'sallyport/console';

/**
 * Evaluates compiled policies over the grants it was loaded with. Synchronous, so that a verdict costs the data path no promise.
 * Answers `undefined` when the policy is undefined for that input; throws when it can't evaluate. The caller refuses in both cases (P2).
 */
export interface Engine {
  evaluate(entrypoint: Entrypoint, input: unknown): unknown;
}
