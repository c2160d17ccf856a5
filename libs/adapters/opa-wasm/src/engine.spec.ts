import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readBundle, type PolicyBundle } from './bundle.js';
import { opaWasmEngine, PROVIDED_BUILTINS } from './engine.js';

const directory = join(import.meta.dirname, '../../../../policies/bundle');
const entrypoints = ['sallyport/verdict', 'sallyport/approval', 'sallyport/console'] as const;
const opaIsHere = spawnSync('opa', ['version']).status === 0;

let bundle: PolicyBundle;
beforeAll(async () => {
  bundle = await readBundle(directory);
});

describe('opaWasmEngine', () => {
  it('evaluates each entrypoint over its data', () => {
    const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: { grants: [], roles: {} } });
    for (const entrypoint of entrypoints) expect(engine.evaluate(entrypoint, {})).toMatchObject({ rules: expect.any(Array) as unknown[] });
  });

  it('gives the same answer each time, whatever came between', () => {
    const engine = opaWasmEngine({
      wasm: bundle.wasm,
      entrypoints,
      data: { grants: [{ name: 'g', who: { subjects: ['*'] }, on: { names: ['*'] } }] },
    });
    const first = engine.evaluate('sallyport/verdict', { principal: { subject: 'a' }, resource: { name: 'r' } });
    engine.evaluate('sallyport/verdict', { principal: { subject: 'x'.repeat(100_000) }, resource: { name: 'r' } });
    expect(engine.evaluate('sallyport/verdict', { principal: { subject: 'a' }, resource: { name: 'r' } })).toEqual(first);
  });

  it('refuses a module without an entrypoint that is wanted', () => {
    expect(() => opaWasmEngine({ wasm: bundle.wasm, entrypoints: ['sallyport/other' as never], data: {} })).toThrow(
      expect.objectContaining({ code: 'POLICY_ENTRYPOINT_MISSING', message: expect.stringContaining('sallyport/other') as string }),
    );
  });

  it('refuses what is no module', () => {
    expect(() => opaWasmEngine({ wasm: Buffer.from('no'), entrypoints, data: {} })).toThrow(
      expect.objectContaining({ code: 'POLICY_ENGINE_FAILED' }),
    );
  });

  it('P9: refuses grants and inputs beyond their limits', () => {
    expect(() => opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: { grants: ['x'.repeat(100)] }, dataMaxBytes: 50 })).toThrow(
      expect.objectContaining({ code: 'POLICY_DATA_TOO_LARGE' }),
    );
    const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: {}, inputMaxBytes: 50 });
    expect(() => engine.evaluate('sallyport/verdict', { principal: 'x'.repeat(100) })).toThrow(
      expect.objectContaining({ code: 'POLICY_INPUT_TOO_LARGE' }),
    );
  });

  it('P9: a module that runs out of memory fails, and the next call works', () => {
    const grants = [{ name: 'g', who: { subjects: ['crew'] }, on: { names: ['shop'] }, allow: ['postgres.read'] }];
    const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: { grants }, memoryMaxPages: 80 });
    const ask = (statements: number): unknown =>
      engine.evaluate('sallyport/verdict', {
        principal: { subject: 'crew', issuer: 'i', provider: 'p', kind: 'person', groups: [], actors: [] },
        resource: { name: 'shop', kind: 'postgres', labels: {} },
        operation: {
          kind: 'postgres',
          class: 'postgres.read',
          classes: ['postgres.read'],
          parseable: true,
          statements: Array.from({ length: statements }, () => ({
            class: 'postgres.read',
            tables: [],
            functions: [],
            hasWhere: null,
            dynamic: false,
            unresolved: [],
          })),
        },
      });
    const before = ask(1);
    expect(before).toMatchObject({ decision: 'allow' });
    expect(() => ask(20_000)).toThrow(expect.objectContaining({ code: 'POLICY_ENGINE_FAILED' }));
    expect(ask(1)).toEqual(before);
  });

  it('fails on what the module can not read, without quoting it, and goes on', () => {
    const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: {} });
    // Half a surrogate pair has no UTF-8.
    expect(() => engine.evaluate('sallyport/verdict', { principal: { subject: 'secret \ud800' } })).toThrow(
      expect.objectContaining({ code: 'POLICY_ENGINE_FAILED', message: expect.not.stringContaining('secret') as string }),
    );
    expect(engine.evaluate('sallyport/verdict', {})).toMatchObject({ decision: 'deny' });
  });

  it('loads many grants in one go', () => {
    const grants = Array.from({ length: 10_000 }, (_, at) => ({
      name: `g${at}`,
      who: { subjects: [`crew-${at}`] },
      on: { names: ['shop'] },
      allow: ['postgres.read'],
    }));
    const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: { grants } });
    expect(engine.evaluate('sallyport/verdict', {})).toMatchObject({ decision: 'deny' });
  });

  it('knows what the SDK provides', () => {
    const require = createRequire(import.meta.url);
    const sdk = dirname(require.resolve('@open-policy-agent/opa-wasm'));
    expect(Object.keys(require(join(sdk, 'builtins/index.js')) as object).sort()).toEqual([...PROVIDED_BUILTINS].sort());
  });

  (opaIsHere ? it : it.skip)('P2: refuses at load a policy that needs a built-in nobody provides, and names it', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'sallyport-engine-'));
    try {
      await writeFile(join(scratch, 'p.rego'), 'package sallyport\n\nverdict := time.now_ns()\n');
      expect(
        spawnSync('opa', ['build', '-t', 'wasm', '-e', 'sallyport/verdict', '-o', 'b.tar.gz', 'p.rego'], { cwd: scratch }).status,
      ).toBe(0);
      const tar = gunzipSync(readFileSync(join(scratch, 'b.tar.gz')));
      const wasm = tar.subarray(tar.indexOf(Buffer.from([0, 0x61, 0x73, 0x6d])));
      expect(() => opaWasmEngine({ wasm: untilEndOfModule(wasm), entrypoints: ['sallyport/verdict'], data: {} })).toThrow(
        expect.objectContaining({ code: 'POLICY_BUILTIN_MISSING', message: expect.stringContaining('time.now_ns') as string }),
      );
    } finally {
      await rm(scratch, { recursive: true });
    }
  });
});

/** Cuts what a tar has behind a member: a module is a header of 8 bytes and sections of id, LEB128 length and bytes. */
function untilEndOfModule(bytes: Buffer): Uint8Array {
  let at = 8;
  while (at < bytes.length) {
    let next = at + 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[next] ?? 0;
      next += 1;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    // Section ids are 0 to 13; padding of the tar is an empty custom section, which no compiler writes.
    if (length === 0) break;
    at = next + length;
  }
  return bytes.subarray(0, at);
}
