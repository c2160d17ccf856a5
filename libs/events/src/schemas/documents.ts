import { asyncApi } from './asyncapi.js';
import { jsonSchemas } from './json-schemas.js';

/** Every committed document by its path in this package, as text. A spec compares them; `npm run schemas` writes them. */
export function documents(): Readonly<Record<string, string>> {
  const files: Record<string, string> = { 'asyncapi.json': text(asyncApi()) };
  for (const [name, schema] of Object.entries(jsonSchemas())) files[`schemas/${name}`] = text(schema);
  return files;
}

function text(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
