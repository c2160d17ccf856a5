import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError, EXIT, wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { cliSettings, type GlobalOptions } from '../settings.js';

/** The policies that come with Sallyport, and what builds policies. */
const SHIPPED = fileURLToPath(new URL('../../../../../policies', import.meta.url));
const SOURCES = ['sallyport', 'rules'] as const;

/** Exit codes of build.mjs are those of the interface. */
export async function buildPolicy(
  options: GlobalOptions & { readonly root?: string; readonly out?: string; readonly check: boolean },
  io: Io,
): Promise<number> {
  const root = rootOf(options, io);
  const out = options.out === undefined ? [] : ['--out', resolve(io.cwd, options.out)];
  return run(process.execPath, [join(SHIPPED, 'build.mjs'), '--root', root, ...out, ...(options.check ? ['--check'] : [])], io.cwd, io);
}

export async function testPolicy(options: GlobalOptions & { readonly root?: string; readonly run?: string }, io: Io): Promise<boolean> {
  const root = rootOf(options, io);
  return (await run('opa', ['test', ...(options.run === undefined ? [] : ['--run', options.run]), ...SOURCES], root, io)) === 0;
}

function rootOf(options: GlobalOptions & { readonly root?: string }, io: Io): string {
  const root = options.root === undefined ? (cliSettings(options, io).config.policy.path ?? SHIPPED) : resolve(io.cwd, options.root);
  const missing = SOURCES.filter((name) => !existsSync(join(root, name)));
  if (missing.length > 0)
    throw wrongUse(
      `${root} is no policy directory: ${missing.map((name) => `${name}/`).join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not there`,
    );
  return root;
}

function run(command: string, args: readonly string[], cwd: string, io: Io): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], signal: io.signal });
    child.stdout.on('data', (chunk: Buffer) => io.out(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => io.err(chunk.toString()));
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new CliError(EXIT.unreachable, `${command} is not installed, or not on the PATH`, {
              hint: 'Get opa from https://www.openpolicyagent.org/docs/#running-opa. Sallyport itself runs without: its policies come compiled.',
            })
          : error,
      );
    });
    child.on('close', (code) => resolve(code ?? EXIT.found));
  });
}
