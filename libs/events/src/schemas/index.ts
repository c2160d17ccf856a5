import type { z } from 'zod';
import { controlSchemas } from './control.js';
import { leaseSchemas } from './leases.js';
import { sessionSchemas } from './session.js';

export type EventStream = 'session' | 'control' | 'leases';
export type KnownEventType = keyof typeof sessionSchemas | keyof typeof controlSchemas | keyof typeof leaseSchemas;

/** Every event type by name: the stream it belongs to, and the schema of its data. */
export const eventSchemas = {
  ...inStream('session', sessionSchemas),
  ...inStream('control', controlSchemas),
  ...inStream('leases', leaseSchemas),
} as Readonly<Record<KnownEventType, { readonly stream: EventStream; readonly schema: z.ZodType }>>;

function inStream(
  stream: EventStream,
  schemas: Readonly<Record<string, z.ZodType>>,
): Record<string, { stream: EventStream; schema: z.ZodType }> {
  return Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { stream, schema }]));
}
