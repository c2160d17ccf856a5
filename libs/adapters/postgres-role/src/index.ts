export { POSTGRES_ROLES_LIMITS, postgresRoles, type PostgresRolesLimits, type PostgresRolesOptions } from './postgres-roles.js';
export { checkProfiles, PHRASE_MAX_CHARS, PROFILE_MAX_PHRASES, type Phrase, type Profiles } from './profile.js';
export { scramVerifier } from './scram.js';
export { staticSource, type StaticSourceOptions } from './static-source.js';
