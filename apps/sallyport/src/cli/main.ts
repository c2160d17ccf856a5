import { CommanderError } from 'commander';
import { CliError, EXIT } from './exit.js';
import { type Io, processIo } from './io.js';
import { approvals } from './nouns/approvals.js';
import { config } from './nouns/config.js';
import { connect } from './nouns/connect.js';
import { keys } from './nouns/keys.js';
import { leases } from './nouns/leases.js';
import { login } from './nouns/login.js';
import { policy } from './nouns/policy.js';
import { principals } from './nouns/principals.js';
import { projections } from './nouns/projections.js';
import { revocations } from './nouns/revocations.js';
import { resources } from './nouns/resources.js';
import { runs } from './nouns/runs.js';
import { services } from './nouns/services.js';
import { sessions } from './nouns/sessions.js';
import { topics } from './nouns/topics.js';
import { up } from './nouns/up.js';
import { verify } from './nouns/verify.js';
import { version } from '../version.js';
import { createProgram, report } from './program.js';

const NOUNS = [
  up,
  services,
  topics,
  config,
  keys,
  sessions,
  approvals,
  leases,
  principals,
  revocations,
  runs,
  resources,
  policy,
  login,
  connect,
  verify,
  projections,
];

/** Runs one command. Returns the exit code; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done;
  const program = createProgram({ ...io, exit: (given) => void (code = given) }, NOUNS, version());
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError)
      return error.code === 'commander.helpDisplayed' || error.code === 'commander.version' ? EXIT.done : EXIT.usage;
    if (io.signal.aborted) return EXIT.done;
    if (error instanceof CliError) {
      report(error, io);
      return error.exitCode;
    }
    io.err(`sallyport: ${error instanceof Error ? error.message : String(error)}\n`);
    if (io.env['SALLYPORT_DEBUG'] && error instanceof Error) io.err(`${error.stack ?? ''}\n`);
    return EXIT.unreachable;
  }
}

/** The process: its streams, its signals, its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const stop = new AbortController();
  // Who reads our output may stop whenever they like (`| head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.unreachable));
  // What runs until it is told to stop drains by itself; everything else just ends.
  const abort = (): void => stop.abort();
  if (!['up', 'edge', 'decision', 'vendor', 'projector', 'console'].includes(argv[0] ?? ''))
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, abort);
  process.exitCode = await run(argv, processIo(stop.signal));
}
