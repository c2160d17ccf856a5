export { CATALOG_LIMITS, PostgresMaskCatalog } from './postgres-catalog.js';
export type { CatalogLimits, PostgresMaskCatalogOptions } from './postgres-catalog.js';
