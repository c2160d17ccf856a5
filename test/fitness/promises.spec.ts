import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { read, ROOT } from './workspace.js';

describe('docs/promises.md', () => {
  it('is what the names of the tests say (npm run promises)', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/promises.mjs'), '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('lists for each promise its tests, or says what is not yet held', () => {
    const sections = read('docs/promises.md').split(/^## /m).slice(1);
    expect(sections.map((section) => section.slice(0, section.indexOf('\n')))).toEqual(
      Array.from({ length: 10 }, (_, index) => `P${index + 1}`),
    );
    expect(sections.filter((section) => !/^ {2}- .|^Not yet held: ./m.test(section))).toEqual([]);
  });
});
