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
