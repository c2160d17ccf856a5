export { announce, type Announced, AnnouncedServices } from './announced.js';
export { CLOCK_SENDERS_MAX, ClockOffsets } from './clock-offsets.js';
export { DISTRUST_TOLD_EVERY_MS, type DistrustPorts, distrustReport } from './distrust.js';
export { followTrusted, type FollowOptions } from './follow.js';
export { REPLAY_SENDERS_MAX, REPLAY_WINDOW_SIZE, ReplayWindow } from './replay-window.js';
export { type Role, ROLES, type Service, serviceOf, WRITERS } from './roles.js';
export {
  checkEnrolled,
  fileRoster,
  type FileRosterOptions,
  fixedRoster,
  type Roster,
  ROSTER_MAX_AGE_MS,
  ROSTER_MAX_BYTES,
  ROSTER_STRANGER_MS,
} from './roster.js';
export { openSealed, SEALED_LIMITS, type SealBinding, type SealKey, sealKeyOf, sealTo } from './sealed.js';
export { type SessionEnd, sessionEnd } from './session-end.js';
export { type Distrusted, type EventToWrite, type Heard, heardEvent, Once, writeControl, writeLease } from './signed-events.js';
export { KEY_HEADER, type Signable, SIGNATURE_HEADER, type Signed, signerOf, signRecord, type Unsigned } from './signed-record.js';
export { TrustError, type TrustErrorCode } from './trust-error.js';
export { isVouchedKind, unvouched, vouch } from './vouched.js';
