import Table from 'cli-table3';
import { DemoFailed, type Narrator, play, type Proof } from './script.js';
import { setStage, type Stage } from './stage.js';

/** `npm run demo`: the main job on real input, and a table of what it proved. Exit code 0 only if every step did as promised. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const keep = args.includes('--keep');
  const unknown = args.find((arg) => arg !== '--keep');
  if (unknown !== undefined) {
    process.stderr.write(`demo: unknown option ${unknown}; there is only --keep\n`);
    return 2;
  }
  const startedMs = Date.now();
  print('Starting a PostgreSQL with a small shop, and sallyport up in front of it …');
  const stage = await setStage();
  if (keep) return keepUp(stage);
  const proofs: Proof[] = [];
  let failure: unknown;
  try {
    await play(stage, narrator(proofs));
  } catch (error) {
    failure = error;
  } finally {
    await stage.strike();
  }
  print('');
  print(table(proofs));
  print(`${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
  if (failure === undefined) return 0;
  process.stderr.write(`demo: ${failure instanceof Error ? failure.message : 'something that is no error was thrown'}\n`);
  return 1;
}

function narrator(proofs: Proof[]): Narrator {
  return {
    step: (title) => print(`\n${title}`),
    say: (text) => print(`    ${text}`),
    proves(promise, what, holds) {
      if (!holds) throw new DemoFailed(`${promise} does not hold: ${what}`);
      proofs.push({ promise, what });
      print(`  ✔ ${promise} ${what}`);
    },
  };
}

function table(proofs: readonly Proof[]): string {
  const output = new Table({ head: ['promise', 'proved here'], style: { head: [], border: [] } });
  for (const promise of [...new Set(proofs.map((proof) => proof.promise))].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))) {
    output.push([
      promise,
      proofs
        .filter((proof) => proof.promise === promise)
        .map(({ what }) => what)
        .join('\n'),
    ]);
  }
  return output.toString();
}

async function keepUp(stage: Stage): Promise<number> {
  const [host, port] = stage.ready.listeners.postgres!.split(/:(?=\d+$)/);
  print('\nIt stays up until Ctrl-C. Paste this:\n');
  for (const subject of ['agent-analyst', 'crew-stock']) {
    print(`  # as ${subject}`);
    print(`  PGPASSWORD='${stage.ready.tokens[subject]}' psql "host=${host} port=${port} dbname=shop user=me"\n`);
  }
  print(`Console API: http://${stage.ready.listeners.console}/api/v1/  ·  metrics: http://${stage.ready.listeners.metrics}/metrics`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await stage.strike();
  return 0;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
