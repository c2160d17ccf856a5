import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { loadConfig } from '@sallyport/config';
import { loadGrants } from '@sallyport/verdict';
import pg from 'pg';
import { parse } from 'yaml';
import { startTarget, type Target } from '../harness/index.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUIDES = join(ROOT, 'docs/guides');
const START_TIMEOUT_MS = 150_000;

interface Block {
  readonly info: string;
  readonly text: string;
}

/** The fenced blocks of a guide, in order. */
async function blocksOf(guide: string): Promise<readonly Block[]> {
  const text = await readFile(join(GUIDES, guide), 'utf8');
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = '', body = '']) => ({ info, text: body }));
}

describe('docs/guides', () => {
  let directory: string;
  let target: Target;
  let up: ChildProcess | undefined;
  let output = '';
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sallyport-guides-'));
    target = await startTarget({ database: 'shop' });
    await target.query(await readFile(join(ROOT, 'apps/sallyport/sample/shop.sql'), 'utf8'));
    // `npx sallyport` as it is in a checkout, whose directory this isn't.
    const bin = join(directory, 'bin');
    await mkdir(bin);
    const command = join(ROOT, 'apps/sallyport/bin/sallyport.mjs');
    await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${command}" "$@"\n`, { mode: 0o755 });
    const url = new URL(target.url());
    url.username = 'sallyport';
    url.password = 'change-me';
    env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, SHOP_ADMIN_URL: url.href, XDG_CONFIG_HOME: directory };
  });

  afterAll(async () => {
    if (up && up.exitCode === null) {
      const ended = new Promise((resolve) => up?.once('exit', resolve));
      up.kill('SIGTERM');
      await ended;
    }
    await target.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs a shell block where the guide's files are. */
  function shell(text: string): Promise<{ readonly code: number | null; readonly output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn('sh', ['-e', '-c', text], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let written = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output: written }));
    });
  }

  /** The guide names a server and ports that aren't here. */
  async function onThisMachine(text: string): Promise<string> {
    let local = text.replace('db.example.com:5432', `127.0.0.1:${target.port}`).replace('tls: verify-full', 'tls: disable');
    for (const port of [6432, 8700, 9464]) local = local.replace(`127.0.0.1:${port}`, `127.0.0.1:${await freePort()}`);
    return local;
  }

  async function started(
    readyFile: string,
  ): Promise<{ readonly listeners: { readonly postgres: string }; readonly tokens: Record<string, string> }> {
    for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; await sleep(100)) {
      if (existsSync(readyFile)) return JSON.parse(await readFile(readyFile, 'utf8')) as Awaited<ReturnType<typeof started>>;
      if (up?.exitCode !== null) break;
    }
    throw new Error(`sallyport up did not start\n${output}`);
  }

  it('your-own-database.md, operations.md and forensics.md work as written', async () => {
    const guide = await blocksOf('your-own-database.md');
    for (const { info, text } of guide) {
      if (info === 'sql run') await target.query(text);
      const file = /^yaml file=(\S+)$/.exec(info)?.[1];
      if (file !== undefined) await writeFile(join(directory, file), await onThisMachine(text));
    }
    const readyFile = join(directory, 'ready.json');
    const commands = guide.filter(({ info }) => info === 'sh run').map(({ text }) => text);
    expect(commands.length).toBe(2);
    expect(await shell(commands[0]!)).toMatchObject({ code: 0 });

    up = spawn('npx', ['sallyport', 'up', '--dev', '--ready-file', readyFile], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [up.stdout, up.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const { listeners, tokens } = await started(readyFile);
    const [host = '', port = ''] = listeners.postgres.split(':');
    const client = new pg.Client({ host, port: Number(port), database: 'shop', user: 'me', password: tokens['agent-analyst'] ?? '' });
    await client.connect();
    const { rows } = await client.query<{ card: string }>('SELECT id, card FROM customers WHERE id = 1');
    expect(rows).toEqual([{ id: 1, card: '[redacted]' }]);
    await expect(client.query('DELETE FROM stock')).rejects.toMatchObject({ code: '42501' });
    await client.end();
    await settled();

    expect(await shell(commands[1]!)).toMatchObject({ code: 0, output: expect.stringContaining('agent-analyst') as string });
    for (const page of ['operations.md', 'forensics.md']) {
      for (const { info, text } of await blocksOf(page)) {
        const file = /^js file=(\S+)$/.exec(info)?.[1];
        if (file !== undefined) await writeFile(join(directory, file), text);
        if (info === 'sh run') expect({ text, ...(await shell(text)) }).toMatchObject({ text, code: 0 });
      }
    }
    const events = (await shell('node events.mjs data/bus/topics/sallyport.sessions.v1/0')).output;
    expect(events).toContain('"type":"session.closed"');
    expect(events).not.toMatch(/broken|4111/);
  }, 240_000);

  /** The session's end is in the read model. */
  async function settled(): Promise<void> {
    let text = '';
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(200)) {
      const listed = await shell('npx sallyport sessions list --state closed --format json');
      text = listed.output;
      if (listed.code === 0 && text.includes('agent-analyst')) return;
    }
    throw new Error(`the session's end did not show\n${text}\n${output}`);
  }

  it('every configuration and every grant that is shown can be loaded', async () => {
    for (const guide of await readdir(GUIDES)) {
      for (const { info, text } of await blocksOf(guide)) {
        if (info === 'yaml grants') expect(loadGrants(text)).toMatchObject({ problems: [] });
        if (info !== 'yaml') continue;
        const value = parse(text) as Record<string, unknown>;
        // A rule by itself belongs to a provider.
        const oidc = { issuer: 'https://idp.example.com', audience: 'sallyport', ...value };
        const whole = 'kind' in value ? { identity: { providers: [{ name: 'corp', oidc }] } } : value;
        expect(loadConfig({ text: JSON.stringify(whole), baseDir: GUIDES }, {})).toMatchObject({ ok: true });
      }
    }
  });

  it('every file that ARCHITECTURE.md and the guides link to is there', async () => {
    const pages = ['ARCHITECTURE.md', ...(await readdir(GUIDES)).map((guide) => `docs/guides/${guide}`)];
    for (const page of pages) {
      const text = await readFile(join(ROOT, page), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, link = '']) => link);
      expect(links.filter((link) => !existsSync(join(ROOT, page, '..', link)))).toEqual([]);
    }
  });
});
