import { z } from 'zod';
import { MAX_SEQUENCE } from '../chain.js';
import { eventSchemas } from './index.js';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** What every event has around its data (CloudEvents 1.0). The chain's attributes come all together, and `id` is then SESSION:SEQUENCE. */
const envelope = {
  $schema: DIALECT,
  $id: 'envelope.json',
  title: 'envelope',
  description:
    'CloudEvents 1.0, structured JSON. prev is the lowercase hex SHA-256 of the bytes of the event before it in the session, 64 zeros for the first.',
  type: 'object',
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1 },
    type: { type: 'string', minLength: 1 },
    subject: { type: 'string', minLength: 1 },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { const: 'application/json' },
    sessionid: { type: 'string', pattern: '^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$' },
    sequence: { type: 'integer', minimum: 0, maximum: MAX_SEQUENCE },
    prev: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    data: {},
  },
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'data'],
  dependentRequired: { sessionid: ['sequence', 'prev'], sequence: ['sessionid', 'prev'], prev: ['sessionid', 'sequence'] },
};

/** File name → JSON Schema (2020-12): the envelope, and the data of every event type. Members that a schema doesn't name are allowed. */
export function jsonSchemas(): Readonly<Record<string, object>> {
  const files: Record<string, object> = { 'envelope.json': envelope };
  for (const [type, { schema }] of Object.entries(eventSchemas)) {
    const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
    files[`${type}.json`] = { $schema: $schema ?? DIALECT, $id: `${type}.json`, title: type, ...rest };
  }
  return files;
}
