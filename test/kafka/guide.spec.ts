import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDevIssuer, type DevIssuer } from '@sallyport/adapter-dev-issuer';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { kafkaInstalled, startKafka, type TestKafka } from '@sallyport/adapter-kafka/testing';
import { Client } from 'pg';
import { COMMAND } from '../harness/fleet.mjs';
import { startTarget, type Target } from '../harness/index.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVICES = ['decision', 'vendor', 'projector', 'console', 'edge'] as const;

// One configuration, one data directory, five processes: as somebody would try it first.
(kafkaInstalled() ? describe : describe.skip)('docs/guides/many-machines.md', () => {
  let directory: string;
  let kafka: TestKafka;
  let target: Target;
  let issuer: DevIssuer;
  let env: NodeJS.ProcessEnv;
  const running: ChildProcess[] = [];
  let output = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sallyport-guide-'));
    [kafka, target, issuer] = await Promise.all([
      startKafka(),
      startTarget({ database: 'shop' }),
      startDevIssuer({ principals: [{ subject: 'agent', kind: 'workload', groups: ['analysts'] }] }),
    ]);
    await target.query('CREATE TABLE customers (id int); INSERT INTO customers VALUES (1)');
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin/npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${COMMAND}" "$@"\n`, { mode: 0o755 });
    env = { ...process.env, PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`, SHOP_ADMIN_URL: target.url() };
  }, 240_000);
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await Promise.all([kafka?.stop(), target?.stop(), issuer?.close()]);
    await rm(directory, { recursive: true, force: true });
  }, 120_000);

  const blocks = async () => {
    const text = await readFile(join(ROOT, 'docs/guides/many-machines.md'), 'utf8');
    return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = '', body = '']) => ({ info, text: body }));
  };

  function shell(text: string): Promise<{ readonly code: number | null; readonly written: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn('sh', ['-e', '-c', text], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let written = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, written }));
    });
  }

  async function onThisMachine(text: string): Promise<string> {
    let local = text
      .replace('127.0.0.1:19092', kafka.brokers[0]!)
      .replace('db.example.com:5432', `127.0.0.1:${target.port}`)
      .replace('tls: verify-full', 'tls: disable')
      .replace('https://idp.example.com', issuer.issuer);
    for (const port of [6432, 8700]) local = local.replace(`127.0.0.1:${port}`, `127.0.0.1:${await freePort()}`);
    return local.replace('127.0.0.1:9464', '127.0.0.1:0');
  }

  async function start(service: string): Promise<Record<string, string>> {
    const readyFile = join(directory, `${service}.json`);
    const child = spawn('npx', ['sallyport', service, '--ready-file', readyFile], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    for (const end = Date.now() + 90_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
      const text = await readFile(readyFile, 'utf8').catch(() => undefined);
      if (text !== undefined) return (JSON.parse(text) as { listeners: Record<string, string> }).listeners;
      if (child.exitCode !== null) break;
    }
    throw new Error(`${service} did not get ready\n${output}`);
  }

  it('works as written', async () => {
    const guide = await blocks();
    for (const { info, text } of guide) {
      const file = /^yaml file=(\S+)$/.exec(info)?.[1];
      if (file !== undefined) await writeFile(join(directory, file), await onThisMachine(text));
    }
    const [topics = '', keys = '', well = ''] = guide.filter(({ info }) => info === 'sh run').map(({ text }) => text);

    // Nothing starts before the topics are there, and it says what to do.
    expect(await shell('npx sallyport decision')).toMatchObject({
      code: 2,
      written: expect.stringContaining('sallyport topics apply') as string,
    });
    expect(await shell(topics)).toMatchObject({ code: 0 });
    expect(await shell(keys)).toMatchObject({ code: 0 });
    expect((await readFile(join(directory, 'services.keys'), 'utf8')).trim().split('\n')).toHaveLength(6);

    const listeners = Object.assign({}, ...(await Promise.all(SERVICES.map(start)))) as Record<string, string>;
    const [host = '', port = ''] = listeners['postgres']!.split(':');
    const client = new Client({ host, port: Number(port), database: 'shop', user: 'me', password: await issuer.tokenFor('agent') });
    await client.connect();
    expect((await client.query('SELECT id FROM customers')).rows).toEqual([{ id: 1 }]);
    await client.end();

    let last = { code: null as number | null, written: '' };
    for (let tries = 0; tries < 60 && last.code !== 0; tries++) {
      last = await shell(well);
      if (last.code !== 0) await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(last).toMatchObject({ code: 0 });
    expect((await shell('npx sallyport sessions list')).written).toContain('agent');

    for (const child of running.splice(0)) {
      const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
  });
});
