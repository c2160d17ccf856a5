import { readFileSync } from 'node:fs';

/** Of this package, as `sallyport --version` prints it. */
export function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
