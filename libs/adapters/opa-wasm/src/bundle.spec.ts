import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { revisionOf } from '@sallyport/verdict';
import { BUNDLE_FILE_MAX_BYTES, readBundle } from './bundle.js';

const committed = join(import.meta.dirname, '../../../../policies/bundle');

describe('readBundle', () => {
  let copy: string;
  beforeEach(async () => {
    copy = await mkdtemp(join(tmpdir(), 'sallyport-bundle-'));
    await cp(committed, copy, { recursive: true });
  });
  afterEach(() => rm(copy, { recursive: true }));

  it('reads the committed bundle', async () => {
    const { manifest, wasm, files } = await readBundle(copy);
    expect(manifest.entrypoints).toEqual(['sallyport/verdict', 'sallyport/approval', 'sallyport/console']);
    expect(manifest.requiredBuiltins).toEqual([]);
    expect(wasm.length).toBeGreaterThan(0);
    expect(revisionOf(files, '{}')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('P2: refuses a module that is not the one of its manifest', async () => {
    const path = join(copy, 'policy.wasm');
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    await expect(readBundle(copy)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_DIGEST' });
  });

  it.each(['not json', '{}', '[]', 'null', '{"format":2}'])('refuses the manifest %s', async (text) => {
    await writeFile(join(copy, 'manifest.json'), text);
    await expect(readBundle(copy)).rejects.toMatchObject({ code: 'POLICY_MANIFEST_INVALID' });
  });

  it('refuses a manifest without the paths of an entrypoint', async () => {
    const path = join(copy, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8')) as { inputPaths: Record<string, unknown> };
    delete manifest.inputPaths['sallyport/verdict'];
    await writeFile(path, JSON.stringify(manifest));
    await expect(readBundle(copy)).rejects.toMatchObject({ code: 'POLICY_MANIFEST_INVALID' });
  });

  it('names the file that is not there', async () => {
    await rm(join(copy, 'manifest.json'));
    await expect(readBundle(copy)).rejects.toMatchObject({
      code: 'POLICY_BUNDLE_UNREADABLE',
      message: expect.stringContaining('manifest.json') as string,
    });
  });

  it('P9: refuses a file beyond the limit without reading it', async () => {
    await truncate(join(copy, 'policy.wasm'), BUNDLE_FILE_MAX_BYTES + 1);
    await expect(readBundle(copy)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREADABLE' });
  });
});
