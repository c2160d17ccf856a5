export { type DevIssuer, type DevIssuerOptions, startDevIssuer } from './dev-issuer.js';
export { DevIssuerError, type DevIssuerErrorCode } from './errors.js';
export { DEV_PRINCIPALS, type DevPrincipal, type TokenOverrides } from './principals.js';
export { DEV_CLIENT_ID, DEV_RESOURCE } from './provider.js';
