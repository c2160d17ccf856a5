import { z } from 'zod';
import type { ControlEvents } from '../control-events.js';
import type { Describes } from './equality.js';

const text = z.string();

const approvalGiven = z.object({
  hold: text,
  hash: text,
  session: text,
  by: z.object({ subject: text, issuer: text, groups: z.array(text) }),
  comment: text.exactOptional(),
  rules: z.array(z.object({ path: text, title: text })),
  revision: text,
});

export const controlSchemas = {
  'policy.activated': z.object({ revision: text, bundle: text, grants: text }),
  'approval.given': approvalGiven,
  'approval.refused': approvalGiven,
  'principal.revoked': z.object({ subject: text, issuer: text.exactOptional(), by: text, reason: text }),
  'session.revoked': z.object({ session: text, by: text, reason: text }),
  'service.announced': z.object({
    service: text,
    keyId: text,
    sealKey: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: text, y: text }),
    installation: text,
    version: text,
  }),
  'revocation.applied': z.object({ revocation: text, sessions: z.number() }),
};

/** Fails to compile, naming the event, when a schema and its interface differ. */
export const controlSchemasDescribe: {
  [Type in keyof ControlEvents]: Describes<ControlEvents[Type], z.infer<(typeof controlSchemas)[Type]>>;
} = {
  'policy.activated': true,
  'approval.given': true,
  'approval.refused': true,
  'principal.revoked': true,
  'session.revoked': true,
  'service.announced': true,
  'revocation.applied': true,
};
