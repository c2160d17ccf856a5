import type { Role } from '@sallyport/trust';
import type { RequestService } from './wire.js';

/** Whose answers are believed. A server of another role would speak to nobody. */
export const SERVICE_ROLES: Readonly<Record<RequestService, Role>> = { decide: 'decision', lease: 'vendor', projector: 'projector' };
