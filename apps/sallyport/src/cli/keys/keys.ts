import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatVerifierKey, formatVerifierKeys, parseVerifierKeys } from '@sallyport/events';
import { fileRoster, type Role, ROLES, TrustError } from '@sallyport/trust';
import { rosterPath, serviceKey } from '../../services/ground.js';
import { wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { cliSettings, type GlobalOptions } from '../settings.js';

/** Prints the verifier keys of these services, made on first use; without any, of those that have a key here. */
export async function show(services: readonly string[], options: GlobalOptions, io: Io): Promise<void> {
  const { config, dataDir } = cliSettings(options, io);
  const directory = join(dataDir, 'keys');
  if (services.length === 0) {
    const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.pub')) : [];
    if (files.length === 0) throw wrongUse(`no service has a key in ${directory} yet`, 'sallyport keys show edge makes one');
    for (const file of files.sort()) io.out(formatVerifierKeys(parseVerifierKeys(readFileSync(join(directory, file), 'utf8'))));
    return;
  }
  const unknown = services.find((service) => !ROLES.some((role) => role === service));
  if (unknown !== undefined) throw wrongUse(`there is no service ${unknown}`, `one of ${ROLES.join(', ')}`);
  for (const service of services) io.out(`${formatVerifierKey(await serviceKey({ ...config, data: dataDir }, service as Role))}\n`);
}

/** Prints the roster as it stands. */
export function enrolled(options: GlobalOptions, io: Io): void {
  const { config, dataDir } = cliSettings(options, io);
  const path = rosterPath({ ...config, data: dataDir });
  try {
    const roster = fileRoster(path);
    for (const role of ROLES) io.out(formatVerifierKeys(roster.ofRole(role)));
  } catch (error) {
    throw error instanceof TrustError ? wrongUse(error.message) : error;
  }
}
