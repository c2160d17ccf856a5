import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps the programs of each major version. */
const DEBIAN = '/usr/lib/postgresql';

/** Path of a program: on PATH, where Debian keeps such things, or undefined. */
export function findProgram(name) {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one)) : [];
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', ...versions.map((version) => join(DEBIAN, version, 'bin'))];
  return places.map((place) => join(place, name)).find(isExecutable);
}

export function versionOf(program) {
  return /\d+(\.\d+)+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown';
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
