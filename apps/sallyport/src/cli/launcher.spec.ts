import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A checkout with one small program in it, and the launcher that is to be tried. */
const REPOSITORY = resolve(import.meta.dirname, '../../../..');
let root: string;
let main: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-checkout-'));
  const app = join(root, 'apps/sallyport');
  mkdirSync(join(app, 'src/cli'), { recursive: true });
  for (const parent of ['libs/adapters', 'node_modules']) mkdirSync(join(root, parent), { recursive: true });
  cpSync(join(REPOSITORY, 'apps/sallyport/bin'), join(app, 'bin'), { recursive: true });
  for (const name of ['typescript', '@typescript', '@types', 'undici-types']) {
    if (existsSync(join(REPOSITORY, 'node_modules', name)))
      symlinkSync(join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name));
  }
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(join(root, 'tsconfig.base.json'), '{}');
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        types: ['node'],
        composite: true,
        rootDir: 'src',
        outDir: 'dist',
        tsBuildInfoFile: 'dist/.tsbuildinfo',
      },
      include: ['src/**/*.ts'],
    }),
  );
  main = join(app, 'src/cli/main.ts');
  program('one');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(says: string): void {
  writeFileSync(
    main,
    `export async function main(args: readonly string[]): Promise<void> {\n  process.stdout.write(${JSON.stringify(says)} + args.length + '\\n');\n}\n`,
  );
}

function launch(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(root, 'apps/sallyport/bin/sallyport.mjs'), ...args], { cwd: tmpdir() });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (code) => done({ code, out, err }));
  });
}

it('builds what is missing, with a line on stderr; then runs, and says nothing the next time', async () => {
  expect(await launch('x')).toEqual({ code: 0, out: 'one1\n', err: 'sallyport: not built yet; building …\n' });
  expect(await launch('x', 'y')).toEqual({ code: 0, out: 'one2\n', err: '' });
});

it('builds what is stale: changed or added', async () => {
  await launch();
  program('two');
  expect(await launch()).toEqual({ code: 0, out: 'two0\n', err: 'sallyport: the sources changed; building …\n' });
  writeFileSync(join(root, 'apps/sallyport/src/cli/more.ts'), 'export const more = 1;\n');
  expect((await launch()).err).toContain('building');
  expect((await launch()).err).toBe('');
});

it('takes a build that somebody else made', async () => {
  await launch();
  rmSync(join(root, 'apps/sallyport/dist/.sources'));
  // A moment between the source and the build, whatever the file system's clock can tell apart.
  utimesSync(main, new Date(Date.now() - 10_000), new Date(Date.now() - 10_000));
  for (const name of ['tsconfig.json', 'package.json'])
    utimesSync(join(root, 'apps/sallyport', name), new Date(Date.now() - 10_000), new Date(Date.now() - 10_000));
  utimesSync(join(root, 'tsconfig.base.json'), new Date(Date.now() - 10_000), new Date(Date.now() - 10_000));
  expect(await launch()).toEqual({ code: 0, out: 'one0\n', err: '' });
});

it('builds once when several start at the same time', async () => {
  const all = await Promise.all([1, 2, 3].map(() => launch()));
  expect(all.map(({ out }) => out)).toEqual(['one0\n', 'one0\n', 'one0\n']);
  expect(all.filter(({ err }) => err !== '')).toHaveLength(1);
});

it('is not kept waiting by a build whose process is gone', async () => {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const gone = spawn(process.execPath, ['-e', '']);
  await new Promise((done) => gone.on('close', done));
  writeFileSync(join(root, 'node_modules/.cache/sallyport-build.lock'), String(gone.pid));
  expect((await launch()).out).toBe('one0\n');
});

it('says what the compiler says, and runs nothing old: exit 2', async () => {
  await launch();
  writeFileSync(main, 'export const main: number = "text";\n');
  const { code, out, err } = await launch();
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/the build failed.*\n.*main\.ts.*TS2322/s);
  expect((await launch()).code).toBe(2);
});

it('asks for npm ci where nothing is installed', async () => {
  rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  expect(await launch()).toEqual({ code: 2, out: '', err: expect.stringContaining('npm ci') });
});
