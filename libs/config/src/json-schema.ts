import { z } from 'zod';
import { configSchema } from './config.js';

/** JSON Schema (2020-12) of what may stand in the file, for editors: sallyport.schema.json beside this package's sources. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configSchema(), { io: 'input', target: 'draft-2020-12' }),
    title: 'Sallyport configuration',
  };
}
