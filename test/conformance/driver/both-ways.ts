import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { postgresResource, startSallyport } from '../../harness/index.mjs';
import type { Target } from '../../harness/index.mjs';
import { SCRIPTS } from '../scripts/index.js';
import { ADMIN_ENV, ALLOW_ALL, directRoute, edgeRoute, freshDatabase, PROFILES, RESOURCE } from './routes.js';
import { type Route, Session } from './session.js';
import { type Mode, readBlocks, runBlocks } from './sql-file.js';

const CORPUS = fileURLToPath(new URL('../corpus/', import.meta.url));
export const PREPARE = readFileSync(new URL('../prepare.sql', import.meta.url), 'utf8');
const MODES: readonly Mode[] = ['simple', 'extended', 'binary'];

/** Script name → what a connection was told, or how the script broke. */
export type Run = ReadonlyMap<string, readonly string[] | Error>;

/** Every file of the corpus in every mode, and the scripts. */
export function scriptNames(): readonly string[] {
  const files = readdirSync(CORPUS)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return [...files.flatMap((file) => MODES.map((mode) => `${basename(file, '.sql')}/${mode}`)), ...SCRIPTS.map(({ name }) => name)];
}

/** Everything straight to the server first, then on a fresh copy of the database through the edge. */
export async function bothWays(target: Target, names: readonly string[]): Promise<{ readonly direct: Run; readonly edge: Run }> {
  await freshDatabase(target, RESOURCE, PREPARE);
  const straight = await directRoute(target, RESOURCE);
  const direct = await runAll(straight, target, names);
  await straight.close();
  await freshDatabase(target, RESOURCE, PREPARE);
  const up = await startSallyport({
    resources: [postgresResource({ name: RESOURCE, target, database: RESOURCE, adminEnv: ADMIN_ENV, profiles: PROFILES })],
    grants: ALLOW_ALL,
    env: { [ADMIN_ENV]: target.url(RESOURCE) },
  });
  let edge: Run;
  let ended: { readonly code: number | null };
  try {
    edge = await runAll(edgeRoute(up), target, names);
  } finally {
    ended = await up.stop();
  }
  if (ended.code !== 0) throw new Error(`sallyport up ended with code ${ended.code}\n${up.output()}`);
  return { direct, edge };
}

async function runAll(route: Route, target: Target, names: readonly string[]): Promise<Run> {
  const run = new Map<string, readonly string[] | Error>();
  for (const name of names) {
    const script = SCRIPTS.find((one) => one.name === name);
    try {
      run.set(name, script ? await script.run(route, target) : await runFile(route, name));
    } catch (error) {
      run.set(name, new Error(`${name} broke on its way (${route.name})`, { cause: error }));
    }
  }
  return run;
}

async function runFile(route: Route, name: string): Promise<readonly string[]> {
  const [file, mode] = name.split('/');
  const session = await Session.open(route);
  try {
    await runBlocks(session, readBlocks(readFileSync(`${CORPUS}${file}.sql`, 'utf8')), mode as Mode);
  } finally {
    await session.close();
  }
  return session.transcript.end();
}
