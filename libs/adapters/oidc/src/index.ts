export { OidcError, type OidcErrorCode } from './errors.js';
export { type OidcIdentity, oidcIdentity } from './oidc-identity.js';
export {
  ALGORITHMS,
  DEFAULT_ALGORITHMS,
  DEFAULT_OIDC_LIMITS,
  type OidcIdentityOptions,
  type OidcLimits,
  type OidcProviderOptions,
} from './options.js';
