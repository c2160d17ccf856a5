/** Runs commands inside a spec, as the binary would. */
import type { Io } from './io.js';
import { run } from './main.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunningCommand {
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<Ran>;
  /** As Ctrl-C does. */
  stop(): void;
}

export function startCommand(
  argv: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Io['env'] },
): RunningCommand {
  const stop = new AbortController();
  let [out, err] = ['', ''];
  const io: Io = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    color: false,
    columns: undefined,
    env,
    cwd,
    signal: stop.signal,
    exit: () => undefined,
  };
  const ended = run(argv, io).then((code) => ({ code, out, err }));
  return { out: () => out, err: () => err, ended, stop: () => stop.abort() };
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1000) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
