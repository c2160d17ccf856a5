export { BUNDLE_FILE_MAX_BYTES, bundleOf, readBundle } from './bundle.js';
export type { PolicyBundle } from './bundle.js';
export { DEFAULT_DATA_MAX_BYTES, DEFAULT_INPUT_MAX_BYTES, DEFAULT_MEMORY_MAX_PAGES, opaWasmEngine, PROVIDED_BUILTINS } from './engine.js';
export type { OpaWasmOptions } from './engine.js';
export { PolicyEngineError } from './errors.js';
export type { PolicyEngineErrorCode } from './errors.js';
