import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { checkDev, type Config, formatProblems, loadConfig, notYet } from '@sallyport/config';
import { loadGrants } from '@sallyport/verdict';
import { wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { DEFAULT_CONFIG, type GlobalOptions } from '../settings.js';
import { count } from '../units.js';

/** True when `up` would take it. Problems and warnings go to stderr, a line each; a good one gets a line on stdout. */
export async function checkConfiguration(options: GlobalOptions, dev: boolean, io: Io): Promise<boolean> {
  const shown = options.config ?? DEFAULT_CONFIG;
  const path = resolve(io.cwd, shown);
  if (!existsSync(path))
    throw wrongUse(
      `there is no configuration at ${shown}`,
      'Name one with --config FILE. deploy/examples/sallyport.yaml is one to start from.',
    );
  const loaded = loadConfig({ path }, io.env);
  if (!loaded.ok) {
    io.err(`${formatProblems(loaded.problems, shown)}\n${count(loaded.problems.length, 'mistake')}.\n`);
    return false;
  }
  const problems = [...notYet(loaded.config), ...(dev ? checkDev(loaded.config) : [])].map((problem) => `${shown}: ${problem}`);
  problems.push(...grantsProblems(loaded.config, io.cwd));
  for (const problem of problems) io.err(`${problem}\n`);
  if (loaded.warnings.length > 0) {
    const lines = formatProblems(loaded.warnings, shown).split('\n');
    io.err(`${lines.map((line) => `warning: ${line}`).join('\n')}\n`);
  }
  if (problems.length > 0) {
    io.err(`${count(problems.length, 'mistake')}.\n`);
    return false;
  }
  const { resources, identity } = loaded.config;
  io.out(
    `${shown} is good: ${count(resources.length, 'resource')}, ${count(identity.providers.length, 'identity provider')}${loaded.warnings.length > 0 ? `, ${count(loaded.warnings.length, 'warning')}` : ''}.\n`,
  );
  return true;
}

function grantsProblems({ policy }: Config, cwd: string): string[] {
  if (policy.grants === undefined) return [];
  const shown = relative(cwd, policy.grants) || policy.grants;
  let text: string;
  try {
    text = readFileSync(policy.grants, 'utf8');
  } catch (error) {
    return [`${shown}: can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`];
  }
  const loaded = loadGrants(text);
  return loaded.ok
    ? []
    : loaded.problems.map(({ line, column, path, message }) => `${shown}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`);
}
