import type { Actor } from './principal.js';

/**
 * The `act` claim (RFC 8693 section 4.1), nearest actor first. Its members other than `sub`, `iss` and `act` carry no meaning here.
 * A string says what is wrong: a chain that is broken or too deep refuses the token, since policy may hang on any link.
 */
export function readActors(act: unknown, maxDepth: number, isName: (value: unknown) => value is string): readonly Actor[] | string {
  const actors: Actor[] = [];
  for (let link = act; link !== undefined;) {
    if (actors.length === maxDepth) return `the claim "act" is deeper than ${maxDepth}`;
    if (typeof link !== 'object' || link === null || Array.isArray(link)) return 'the claim "act" is not an object';
    const { sub, iss, act: next } = link as Record<string, unknown>;
    if (!isName(sub)) return 'the claim "act" has no "sub"';
    if (iss !== undefined && typeof iss !== 'string') return 'the claim "act" has an "iss" that is not a string';
    actors.push(Object.freeze(iss === undefined ? { subject: sub } : { subject: sub, issuer: iss }));
    link = next;
  }
  return actors;
}
