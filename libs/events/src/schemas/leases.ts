import { z } from 'zod';
import type { LeaseEvents } from '../lease-events.js';
import type { Describes } from './equality.js';

const text = z.string();
const login = { id: text, resource: text, login: text };

export const leaseSchemas = {
  'lease.issued': z.object({
    ...login,
    session: text,
    source: z.enum(['postgres-role', 'static']),
    profiles: z.array(text),
    expiresAtMs: z.number(),
    holder: text.exactOptional(),
  }),
  'lease.dropped': z.object(login),
  'lease.swept': z.object(login),
  'lease.failed': z.object({ ...login, code: text }),
};

/** Fails to compile, naming the event, when a schema and its interface differ. */
export const leaseSchemasDescribe: {
  [Type in keyof LeaseEvents]: Describes<LeaseEvents[Type], z.infer<(typeof leaseSchemas)[Type]>>;
} = {
  'lease.issued': true,
  'lease.dropped': true,
  'lease.swept': true,
  'lease.failed': true,
};
