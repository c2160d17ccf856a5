import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { text } from './fields.js';

/**
 * Where a secret is, not what it is. `text` is what was written in the file itself, with its `${ENV}` still in place.
 * `prefix` goes before the value (`Bearer `).
 */
export type SecretRef = (
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'vault'; readonly path: string }
  | { readonly kind: 'aws-secrets-manager'; readonly id: string }
) & { readonly prefix?: string };

export type Env = Readonly<Record<string, string | undefined>>;

export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly code = 'SECRET_UNRESOLVED';
}

const FILE_MAX_BYTES = 64 * 1024;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHAPE = 'expected a secret: { env: NAME }, { file: PATH } or "${NAME}"';

export function secret() {
  const reference = z
    .strictObject({
      env: z.string().regex(ENV_NAME, { error: 'expected the name of an environment variable' }).exactOptional(),
      file: text('the path of a file').exactOptional(),
      vault: text('a path in Vault').exactOptional(),
      'aws-secrets-manager': text('the name of a secret').exactOptional(),
      prefix: z.string().exactOptional(),
    })
    .transform((value, context): SecretRef => {
      const { env, file, vault, 'aws-secrets-manager': id, prefix } = value;
      const found: SecretRef[] = [];
      const more = prefix === undefined ? {} : { prefix };
      if (env !== undefined) found.push({ kind: 'env', name: env, ...more });
      if (file !== undefined) found.push({ kind: 'file', path: file, ...more });
      if (vault !== undefined) found.push({ kind: 'vault', path: vault, ...more });
      if (id !== undefined) found.push({ kind: 'aws-secrets-manager', id, ...more });
      const [only] = found;
      if (only && found.length === 1) return only;
      context.addIssue({ code: 'custom', message: 'expected exactly one of env, file, vault, aws-secrets-manager' });
      return z.NEVER;
    });
  const written = z
    .string()
    .min(1, { error: SHAPE })
    .transform((value): SecretRef => {
      const whole = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(value);
      return whole?.[1] === undefined ? { kind: 'text', text: value } : { kind: 'env', name: whole[1] };
    });
  return z.union([written, reference], { error: SHAPE });
}

/** Whether the secret itself stands in the configuration file. */
export function isLiteral(ref: SecretRef): boolean {
  return ref.kind === 'text' && !/\$\{[A-Za-z_][A-Za-z0-9_]*\}/.test(ref.text);
}

/**
 * The secret's value. A file's last line break is not part of it.
 * Throws {@link SecretError} (`SECRET_UNRESOLVED`), which names the reference and never the value.
 */
export function resolveSecret(ref: SecretRef, { env, baseDir }: { readonly env: Env; readonly baseDir: string }): string {
  return (ref.prefix ?? '') + valueOf(ref, env, baseDir);
}

function valueOf(ref: SecretRef, env: Env, baseDir: string): string {
  switch (ref.kind) {
    case 'env':
      return fromEnv(ref.name, env);
    case 'text':
      return ref.text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => fromEnv(name, env));
    case 'file':
      return fromFile(resolve(baseDir, ref.path));
    case 'vault':
    case 'aws-secrets-manager':
      throw new SecretError(`secrets from ${ref.kind} are not served by this version`);
  }
}

function fromEnv(name: string, env: Env): string {
  const value = env[name];
  if (value === undefined || value === '') throw new SecretError(`the environment variable ${name} is not set`);
  return value;
}

function fromFile(path: string): string {
  let value: string;
  try {
    const stat = statSync(path);
    if (!stat.isFile() || stat.size > FILE_MAX_BYTES) throw new RangeError(`not a file of at most ${FILE_MAX_BYTES} bytes`);
    value = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new SecretError(`the secret file ${path} can't be read`, { cause });
  }
  if (value === '') throw new SecretError(`the secret file ${path} is empty`);
  return value;
}

/** What is wrong with a secret file from outside, without reading it. */
export function secretFileProblem(path: string): string | undefined {
  try {
    const { mode } = statSync(path);
    return (mode & 0o077) === 0 ? undefined : `${path} can be read by others: chmod 600`;
  } catch {
    return `${path} is not there, or can't be looked at`;
  }
}
