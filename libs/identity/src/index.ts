export type { Actor, Principal } from './principal.js';
export type { Identified, IdentityPort, IdentityRefusalCode } from './identity.port.js';
