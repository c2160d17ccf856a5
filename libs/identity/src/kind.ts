import { at } from './groups.js';
import type { Principal } from './principal.js';

/** Which claim tells a person from a workload, and by which values. A token that has none of them is refused. */
export interface KindRule {
  /** Claim name, or a dotted path. */
  readonly claim: string;
  readonly workload: readonly string[];
  readonly person: readonly string[];
}

/**
 * Person or workload. With a rule, the rule alone decides and `undefined` means: it does not say. Without one:
 * 1. a claim `sallyport_kind` of `person` or `workload` (the development issuer sets it);
 * 2. a workload when the token is for its own client, as client credentials give it: `client_id` or `azp` equals `sub`
 *    (RFC 9068 section 5), `gty` is `client-credentials` (Auth0) or `idtyp` is `app` (Entra ID);
 * 3. else a person.
 * An issuer that shows a service account in another way (Keycloak does) needs a rule, or its workloads pass for people.
 */
export function readKind(claims: Readonly<Record<string, unknown>>, rule?: KindRule): Principal['kind'] | undefined {
  if (rule) {
    const value = at(claims, rule.claim);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    // A token that says both is no person: only people approve.
    if (values.some((one) => typeof one === 'string' && rule.workload.includes(one))) return 'workload';
    return values.some((one) => typeof one === 'string' && rule.person.includes(one)) ? 'person' : undefined;
  }
  const said = claims['sallyport_kind'];
  if (said !== undefined) return said === 'person' || said === 'workload' ? said : undefined;
  const forItself = [claims['client_id'], claims['azp']].some((client) => client !== undefined && client === claims['sub']);
  return forItself || claims['gty'] === 'client-credentials' || claims['idtyp'] === 'app' ? 'workload' : 'person';
}
