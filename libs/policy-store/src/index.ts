export { followPolicies, type FollowedPolicies, type FollowPoliciesOptions } from './follow-policies.js';
export { newestPolicy } from './catch-up.js';
export { policyHistory, type PolicyHistory, type PolicyVersion } from './policy-history.js';
export { type Activated, type LoadPublished, type Offered, PolicyLine } from './policy-line.js';
export { PolicyStoreError, type PolicyStoreErrorCode } from './policy-store-error.js';
export {
  POLICY_COMMENT_MAX_CHARS,
  POLICY_FILE_MAX_BYTES,
  POLICY_FILES,
  POLICY_FORMAT,
  POLICY_RECORD_MAX_BYTES,
  policyKey,
  policyRecord,
  type PublishedPolicy,
} from './published-policy.js';
export { type Publication, publishPolicy, type PublishPolicyOptions } from './publish-policy.js';
export { type Read, readPublished } from './read-published.js';
export { type PolicyRefusal, refusalOf, type Refused } from './refusal.js';
