import { LeaseError, type LeaseSource } from '@sallyport/lease';

export interface StaticSourceOptions {
  readonly resource: string;
  readonly user: string;
  readonly password: string;
  readonly clock?: () => number;
}

/**
 * One login for every session: for targets that can do no better. It is sealed and forgotten like any other, but outlives the
 * session at the target, and its profiles say nothing there. Nothing is made, dropped or swept.
 */
export function staticSource({ resource, user, password, clock = Date.now }: StaticSourceOptions): LeaseSource {
  return {
    resource,
    plan(id, order) {
      if (order.notAfterMs <= clock()) throw new LeaseError('LEASE_REQUEST_INVALID', 'the session is over already');
      return {
        id,
        session: order.session,
        resource,
        source: 'static',
        profiles: order.profiles,
        login: user,
        expiresAtMs: order.notAfterMs,
      };
    },
    create: async () => ({ user, password }),
    drop: async () => true,
    sweep: async () => ({ swept: [], failed: [] }),
    close: async () => undefined,
  };
}
