import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const policies = join(import.meta.dirname, '../../../../policies');
const script = join(policies, 'build.mjs');
const withOpa = spawnSync('opa', ['version']).status === 0 ? it : it.skip;

function build(args: string[], env: NodeJS.ProcessEnv = process.env): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
  return { status, stderr };
}

describe('policies/build.mjs', () => {
  let scratch: string;
  let root: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'sallyport-build-'));
    root = join(scratch, 'elsewhere/policies');
    cpSync(policies, root, { recursive: true });
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  withOpa('builds the same bytes in another place', () => {
    rmSync(join(root, 'bundle'), { recursive: true });
    expect(build(['--root', root])).toMatchObject({ status: 0 });
    for (const file of ['policy.wasm', 'manifest.json']) {
      expect(readFileSync(join(root, 'bundle', file)).equals(readFileSync(join(policies, 'bundle', file)))).toBe(true);
    }
    expect(build(['--root', root, '--check'])).toMatchObject({ status: 0 });
  });

  withOpa('finds a bundle that is not what its policies build to, and leaves it', () => {
    writeFileSync(join(root, 'bundle/policy.wasm'), 'other');
    expect(build(['--root', root, '--check'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npm run policy:build') as string,
    });
    expect(readFileSync(join(root, 'bundle/policy.wasm'), 'utf8')).toBe('other');
  });

  withOpa('takes up a new rule, and wants its tests and its page', () => {
    const rule = join(root, 'rules/postgres/no_comment');
    cpSync(join(root, 'rules/postgres/unknown'), rule, { recursive: true });
    for (const file of ['rule.rego', 'rule_test.rego']) {
      const text = readFileSync(join(rule, file), 'utf8');
      writeFileSync(
        join(rule, file),
        text.replaceAll('postgres.unknown', 'postgres.ddl.comment').replaceAll('rules.postgres.ddl.comment', 'rules.postgres.no_comment'),
      );
    }
    expect(build(['--root', root, '--check'])).toMatchObject({ status: 1, stderr: expect.stringContaining('rules/index.rego') as string });
    expect(build(['--root', root])).toMatchObject({ status: 0 });
    expect((JSON.parse(readFileSync(join(root, 'bundle/manifest.json'), 'utf8')) as { rules: string[] }).rules).toContain(
      'sallyport.rules.postgres.no_comment',
    );
    rmSync(join(rule, 'README.md'));
    expect(build(['--root', root])).toMatchObject({ status: 1, stderr: expect.stringContaining('has no README.md') as string });
  });

  withOpa('stops at a test that fails, at a built-in that is not allowed, and at a fact that is not there', () => {
    const path = join(root, 'sallyport/holds.rego');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('count(requirement.groups) > 0', 'count(requirement.groups) > 9'));
    expect(build(['--root', root])).toMatchObject({ status: 1, stderr: expect.stringContaining('opa test failed') as string });
    writeFileSync(path, `${text}\nnow := time.now_ns()\n`);
    expect(build(['--root', root])).toMatchObject({ status: 1, stderr: expect.stringContaining('time.now_ns') as string });
    writeFileSync(path, `${text}\nlate if input.principal.name == "x"\n`);
    expect(build(['--root', root])).toMatchObject({ status: 1, stderr: expect.stringContaining('input.principal.name') as string });
  });

  it('says what it lacks without opa, and exits 3', () => {
    rmSync(join(root, 'bundle'), { recursive: true });
    expect(build(['--root', root], { ...process.env, PATH: '/nonexistent' })).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('`opa` is needed') as string,
    });
    expect(existsSync(join(root, 'bundle'))).toBe(false);
  });

  it('exits 2 when used wrongly', () => {
    expect(build(['--rot', root])).toMatchObject({ status: 2 });
    expect(build(['--root'])).toMatchObject({ status: 2 });
  });
});
