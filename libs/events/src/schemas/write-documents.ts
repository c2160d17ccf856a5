/** `npm run schemas -w @sallyport/events`: writes the committed JSON Schemas and the AsyncAPI document anew. */
import { mkdir, readdir, unlink, writeFile } from 'node:fs/promises';
import { documents } from './documents.js';

const root = new URL('../../', import.meta.url);
const files = documents();
await mkdir(new URL('schemas/', root), { recursive: true });
for (const name of await readdir(new URL('schemas/', root))) {
  if (!(`schemas/${name}` in files)) await unlink(new URL(`schemas/${name}`, root));
}
for (const [path, content] of Object.entries(files)) await writeFile(new URL(path, root), content);
