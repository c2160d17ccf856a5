/*
 * Column masking (P5). What the caller (an edge's pipeline) does, in order:
 * 1. Parse or simple query: `planner.cached(…) ?? await planner.plan(…)` with the verdict's masks, and the search_path as it will be
 *    when the statement runs. It rejects: refuse. `refused`: refuse the whole string with its reason and hint, before anything is sent.
 *    Call it without masks too: the planner notes which objects the session made before a mask came.
 * 2. Execute of an earlier Parse: the same again (a hit costs microseconds), because masks and catalog may have changed.
 * 3. RowDescription: `rowMasker(planAt(plan, statement), fields, …)`. Statements of a string are counted by CommandComplete and
 *    EmptyQueryResponse. Formats are those of the Bind. Without a Describe from the client the caller describes the portal itself.
 *    It throws: deliver no row.
 * 4. DataRow: a whole message, however many packets it came in, through `masker.mask`. A CopyOutResponse needs nothing: a COPY that
 *    could carry a masked value was refused; one that comes without a COPY having been planned is a protocol error.
 * 5. ErrorResponse and NoticeResponse: through `scrubMessage` while the plan has `scrub`, and, in a session with masks, whenever no
 *    statement is running. FunctionCall is refused always.
 * 6. `catalog.invalidate()` after DDL of the session, and at the end of a transaction that had some. DDL of others is noticed by itself.
 */
export { MASK_LIMITS, MaskPlanner } from './columns/planner.js';
export type { MaskLimits, MaskPlannerOptions, MaskRequest, NamedStatement } from './columns/planner.js';
export { MASK_HINT, planAt, UNMASKED } from './columns/mask-plan.js';
export type { AllowedPlan, ColumnOrigin, MaskPlan, RefusedPlan, StringPlan } from './columns/mask-plan.js';
export { rowMasker } from './columns/row-masker.js';
export type { ResultField, RowMasker } from './columns/row-masker.js';
export { MIN_HASH_KEY_BYTES } from './columns/mask-value.js';
export type { ValueSettings } from './columns/mask-value.js';
export type { MaskedColumn, MaskedColumns } from './columns/masked-columns.js';
export { scrubMessage } from './columns/scrub-message.js';
export type { MessageFields } from './columns/scrub-message.js';
export { MaskingError } from './columns/errors.js';
export type { MaskingErrorCode } from './columns/errors.js';
export type {
  Analysed,
  AnalyseRequest,
  ColumnName,
  ColumnPlace,
  FunctionFacts,
  LocatedColumn,
  MaskCatalog,
  RelationFacts,
} from './columns/catalog.port.js';
