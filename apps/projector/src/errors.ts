export type ProjectorErrorCode =
  /** The bus left records out. */
  | 'PROJECTOR_GAP'
  /** The read model was made of a longer log than there is: the log was cut, or is another one. `projections rebuild` makes it anew. */
  | 'PROJECTOR_LOG_SHORTER'
  | 'PROJECTOR_CLOSED'
  /** What was asked over the bus isn't what is asked there. */
  | 'PROJECTOR_REQUEST';

export class ProjectorError extends Error {
  override readonly name = 'ProjectorError';
  constructor(
    readonly code: ProjectorErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A rebuild that another replica did. */
export class RebuildFailed extends Error {
  override readonly name = 'RebuildFailed';
  constructor(readonly code: string) {
    super(`the rebuild failed: ${code}`);
  }
}

/** What may go to a log or to a person: the code, or the kind, of whatever was thrown. */
export function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'UNKNOWN';
}
