import { execFileSync, spawn } from 'node:child_process';

/**
 * Who a child process should run as. PostgreSQL refuses to run as root; anybody else runs it as themselves.
 * @returns {{ uid: number, gid: number } | undefined}
 */
export function userId(name) {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/**
 * Runs a program to its end. Resolves with what it wrote; rejects when it ends with another code than 0, unless `anyCode`.
 * @param {string} command
 * @param {readonly string[]} arguments_
 * @param {import('node:child_process').SpawnOptions & { input?: string, timeoutMs?: number, anyCode?: boolean }} [options]
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
export function runToEnd(command, arguments_, { input, timeoutMs = 120_000, anyCode = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    const out = [];
    const err = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      if (code === 0 || anyCode) resolve({ code, stdout, stderr });
      else reject(new Error(`${command} ended with code ${code}\n${stdout}\n${stderr}`));
    });
  });
}
