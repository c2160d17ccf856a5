import { LeaseError } from '@sallyport/lease';
import { loadModule, parseSync } from 'libpg-query';

/** Most phrases of one profile, and most characters of one phrase. */
export const PROFILE_MAX_PHRASES = 100;
export const PHRASE_MAX_CHARS = 4096;

/** A checked phrase: what it grants. */
export type Phrase = { readonly kind: 'privileges'; readonly text: string } | { readonly kind: 'membership'; readonly role: string };
export type Profiles = ReadonlyMap<string, readonly Phrase[]>;

/** Stands for the session's role while a phrase is checked. */
const GRANTEE = 'sallyport_grantee';

/** The parts of libpg-query's tree that are read here (PostgreSQL source: `nodes/parsenodes.h`). */
interface RoleSpec {
  readonly RoleSpec?: { readonly roletype?: string; readonly rolename?: string };
}
interface Tree {
  readonly stmts?: readonly { readonly stmt?: { readonly GrantStmt?: GrantTree; readonly GrantRoleStmt?: GrantRoleTree } }[];
}
interface GrantTree {
  readonly is_grant?: boolean;
  readonly grantees?: readonly RoleSpec[];
  readonly grant_option?: boolean;
  readonly grantor?: unknown;
}
interface GrantRoleTree {
  readonly is_grant?: boolean;
  readonly granted_roles?: readonly { readonly AccessPriv?: { readonly priv_name?: string; readonly cols?: unknown } }[];
  readonly grantee_roles?: readonly RoleSpec[];
  readonly opt?: unknown;
  readonly grantor?: unknown;
}

function onlyGrantee(list: readonly RoleSpec[] | undefined): boolean {
  return list?.length === 1 && list[0]?.RoleSpec?.roletype === 'ROLESPEC_CSTRING' && list[0].RoleSpec.rolename === GRANTEE;
}

/** `GRANT <phrase> TO <role>`. The line break ends a comment, should the phrase hold one. */
export function grantStatement(phrase: string, grantee: string): string {
  return `GRANT ${phrase}\nTO ${grantee}`;
}

function checkPhrase(text: string): Phrase | null {
  // The parser stops at a NUL and would not see what follows.
  if (text.includes('\0') || text.length > PHRASE_MAX_CHARS) return null;
  const membership = /^\s*ROLE\s+(.*)$/is.exec(text);
  let tree: Tree;
  try {
    tree = parseSync(grantStatement(membership?.[1] ?? text, `"${GRANTEE}"`)) as Tree;
  } catch {
    return null;
  }
  if (tree.stmts?.length !== 1) return null;
  const { GrantStmt: grant, GrantRoleStmt: grantRole } = tree.stmts[0]?.stmt ?? {};
  if (membership) {
    const granted = grantRole?.granted_roles ?? [];
    const role = granted[0]?.AccessPriv;
    const plain = grantRole?.is_grant === true && grantRole.opt === undefined && grantRole.grantor === undefined;
    if (!plain || granted.length !== 1 || role?.priv_name === undefined || role.cols !== undefined) return null;
    return onlyGrantee(grantRole.grantee_roles) ? { kind: 'membership', role: role.priv_name } : null;
  }
  const plain = grant?.is_grant === true && grant.grant_option !== true && grant.grantor === undefined;
  return plain && onlyGrantee(grant.grantees) ? { kind: 'privileges', text } : null;
}

/**
 * Checks profiles with PostgreSQL's own parser: each phrase must make exactly one `GRANT … TO role` (no grant option, no other
 * grantee, no second statement) or be `ROLE name`, a membership. Rejects with `LEASE_CONFIG`, naming profile and phrase number.
 */
export async function checkProfiles(profiles: Readonly<Record<string, readonly string[]>>): Promise<Profiles> {
  await loadModule();
  const checked = new Map<string, readonly Phrase[]>();
  for (const [name, phrases] of Object.entries(profiles)) {
    if (phrases.length > PROFILE_MAX_PHRASES) {
      throw new LeaseError('LEASE_CONFIG', `profile ${name} has more than ${PROFILE_MAX_PHRASES} phrases`);
    }
    checked.set(
      name,
      phrases.map((text, index) => {
        const phrase = checkPhrase(text);
        if (phrase === null) {
          throw new LeaseError(
            'LEASE_CONFIG',
            `profile ${name}, phrase ${index + 1}: not what stands between GRANT and TO, nor "ROLE name"`,
          );
        }
        return phrase;
      }),
    );
  }
  return checked;
}
