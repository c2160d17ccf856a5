import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspectJournal, openJournal } from './index.js';

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const LOADER = pathToFileURL(fileURLToPath(new URL('../../../test/typescript-loader/register.mjs', import.meta.url))).href;

describe('a killed process', () => {
  let directory: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    directory = await fs.mkdtemp(join(tmpdir(), 'journal-crash-'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await fs.rm(directory, { recursive: true });
  });

  async function start(): Promise<{ last: () => number; kill: () => Promise<void> }> {
    child = spawn(process.execPath, ['--conditions=development', '--import', LOADER, CHILD, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text));
    const exited = once(child, 'close');
    while (!out.startsWith('open\n'))
      await Promise.race([once(child.stdout!, 'data'), exited.then(() => Promise.reject(new Error('the child ended')))]);
    return {
      last: () => Number(/(\d+)\n[^\n]*$/.exec(out)?.[1] ?? -1),
      async kill() {
        child!.kill('SIGKILL');
        await exited;
      },
    };
  }

  it('P1: what was reported durable is there after kill -9, in order and whole', async () => {
    for (let round = 0; round < 3; round++) {
      const running = await start();
      const until = running.last() + 40 + round * 333;
      while (running.last() < until) await new Promise((resolve) => setTimeout(resolve, 5));
      await running.kill();
      const reported = running.last();
      let expected = 0;
      for await (const found of inspectJournal(directory)) {
        expect(found.kind).not.toBe('corrupt');
        if (found.kind !== 'record') continue;
        expect(found.record.offset).toBe(BigInt(expected));
        expect(found.record.value.toString()).toBe(`record ${expected} `.repeat(1 + (expected % 40)));
        expected += 1;
      }
      expect(expected).toBeGreaterThan(reported);
    }
  });

  it('a dead holder locks nobody out, a living one does', async () => {
    const running = await start();
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    await running.kill();
    const journal = await openJournal({ directory });
    await journal.close();
  });
});
