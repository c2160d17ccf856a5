/** Row locks and table locks by strength, weakest first (manual, 13.3). */
export const LOCKS = [
  'for key share',
  'for share',
  'for no key update',
  'for update',
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
] as const;
export type Lock = (typeof LOCKS)[number];

const ROW_LOCKS: Readonly<Record<string, Lock>> = {
  LCS_FORKEYSHARE: 'for key share',
  LCS_FORSHARE: 'for share',
  LCS_FORNOKEYUPDATE: 'for no key update',
  LCS_FORUPDATE: 'for update',
};

/** LockingClause.strength; the strongest when the parser says something new. */
export const rowLock = (strength: unknown): Lock => ROW_LOCKS[String(strength)] ?? 'for update';

/** LockStmt.mode: 1 is AccessShareLock, 8 AccessExclusiveLock. */
export const tableLock = (mode: unknown): Lock => LOCKS[3 + Number(mode)] ?? 'access exclusive';

export const strongest = (a: Lock | null, b: Lock): Lock => (a === null || LOCKS.indexOf(b) > LOCKS.indexOf(a) ? b : a);
