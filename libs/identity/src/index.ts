export { type ClaimRules, principalFromClaims } from './claims.js';
export type { Identified, IdentityPort, IdentityRefusalCode } from './identity.port.js';
export { readJsonObject } from './json-object.js';
export type { KindRule } from './kind.js';
export type { Actor, Principal } from './principal.js';
export { readTokenForm, type TokenForm, type UnverifiedToken } from './token-form.js';
export { Revocations } from './revocations.js';
