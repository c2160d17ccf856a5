export type MaskingErrorCode =
  'MASK_TREE_UNREADABLE' | 'MASK_ROW_MALFORMED' | 'MASK_RESULT_MISMATCH' | 'MASK_HASH_KEY' | 'MASK_CATALOG_AWAY' | 'MASK_LIMIT';

/** Something is broken, so that nothing can be shown to be masked: the caller delivers nothing. Never holds a value. */
export class MaskingError extends Error {
  constructor(
    readonly code: MaskingErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'MaskingError';
  }
}
