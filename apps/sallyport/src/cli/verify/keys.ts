import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseVerifierKeys, type VerifierKey } from '@sallyport/events';
import type { KeyOrigin } from '@sallyport/ledger';
import { wrongUse } from '../exit.js';
import type { Io } from '../io.js';

export interface TrustedKeys {
  readonly trusted: readonly VerifierKey[];
  readonly origin: KeyOrigin;
}

const FILE_MAX_BYTES = 1024 * 1024;

/** Those of `--keys`; else those beside the record, and then the report says so. */
export function trustedKeys(file: string | undefined, beside: () => readonly VerifierKey[], io: Io): TrustedKeys {
  if (file !== undefined) return { trusted: parsed(readSmall(file, io), file), origin: 'given' };
  let trusted: readonly VerifierKey[];
  try {
    trusted = beside();
  } catch (cause) {
    throw wrongUse(
      `the keys beside the record can't be read: ${cause instanceof Error ? cause.message : 'unknown'}`,
      'Give keys from elsewhere with --keys FILE.',
    );
  }
  if (trusted.length === 0)
    throw wrongUse(
      'there are no verifier keys beside the record',
      'Give them with --keys FILE; `sallyport verify --print-keys` on the original prints them.',
    );
  return { trusted, origin: 'directory' };
}

function parsed(text: string, file: string): readonly VerifierKey[] {
  try {
    const keys = parseVerifierKeys(text);
    if (keys.length > 0) return keys;
  } catch (error) {
    throw wrongUse(`${file}: ${error instanceof Error ? error.message : 'not a file of verifier keys'}`);
  }
  throw wrongUse(`${file} has no verifier keys`);
}

/** A file that a person named. @throws CliError */
export function readSmall(file: string, io: Io): string {
  try {
    const path = resolve(io.cwd, file);
    if (statSync(path).size > FILE_MAX_BYTES) throw new RangeError('EFBIG');
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw wrongUse(`can't read ${file} (${(error as NodeJS.ErrnoException).code ?? 'too large'})`);
  }
}
