export { createVendor, type VendorApp, type VendorAppOptions } from './create-vendor.js';
export type { PostgresRoleCredential, StaticCredential, TargetTls, VendorResource } from './sources.js';
