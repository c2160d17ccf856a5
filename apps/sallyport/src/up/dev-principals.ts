import { DEV_PRINCIPALS, type DevPrincipal } from '@sallyport/adapter-dev-issuer';
import type { Config } from '@sallyport/config';
import type { GrantsDocument } from '@sallyport/verdict';

/**
 * Whom the development issuer knows: those of the configuration or the standard ones, and somebody for every subject and group that
 * the grants name plainly, so that each grant can be tried.
 */
export function devPrincipals(config: Config, grants: GrantsDocument): readonly DevPrincipal[] {
  const principals: DevPrincipal[] = [...(config.identity.dev?.principals ?? DEV_PRINCIPALS)];
  const add = (principal: DevPrincipal): void => {
    if (!principals.some(({ subject }) => subject === principal.subject)) principals.push(principal);
  };
  const inGroup = (group: string): boolean => principals.some(({ groups }) => groups.includes(group));
  for (const { who, approval } of grants.grants) {
    for (const subject of who.subjects ?? []) if (isPlain(subject)) add({ subject, kind: 'workload', groups: [] });
    for (const group of who.groups ?? [])
      if (isPlain(group) && !inGroup(group)) add({ subject: `agent-${group}`, kind: 'workload', groups: [group] });
    for (const group of approval?.groups ?? [])
      if (isPlain(group) && !inGroup(group)) add({ subject: `person-${group}`, kind: 'person', groups: [group] });
  }
  return principals;
}

/** A glob names nobody in particular. */
function isPlain(name: string): boolean {
  return /^[A-Za-z0-9._@-]{1,100}$/.test(name);
}
