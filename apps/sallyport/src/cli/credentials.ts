import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Io } from './io.js';
import { readLogin } from './login/token-store.js';
import type { CliSettings, GlobalOptions } from './settings.js';

export interface Credential {
  readonly token: string;
  /** For messages. */
  readonly from: string;
}

/** Whose word a command is: `--token`, $SALLYPORT_TOKEN, the stored login. */
export function userToken(options: GlobalOptions, io: Io): Credential | undefined {
  if (options.token !== undefined) return { token: options.token, from: '--token' };
  const environment = io.env['SALLYPORT_TOKEN'];
  if (environment) return { token: environment, from: '$SALLYPORT_TOKEN' };
  const login = readLogin(io.env);
  return login === undefined || login.expiresAtMs <= Date.now()
    ? undefined
    : { token: login.accessToken, from: `the login of ${login.subject}` };
}

/** The same for the console, where who may read the data directory is its operator. */
export function consoleToken(options: GlobalOptions, { dataDir }: CliSettings, io: Io): Credential | undefined {
  return userToken(options, io) ?? operatorToken(dataDir);
}

function operatorToken(dataDir: string): Credential | undefined {
  const path = join(dataDir, 'operator.token');
  try {
    const token = readFileSync(path, 'utf8').trim();
    return token === '' ? undefined : { token, from: path };
  } catch {
    return undefined;
  }
}
