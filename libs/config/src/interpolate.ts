import { mapStrings, matches, type Path } from './paths.js';
import type { Env } from './secrets.js';

/** Where secrets stand. Their `${ENV}` is put in when the secret is used, not before: a configuration in memory holds none. */
export const SECRET_PATHS: readonly string[] = [
  'bus.kafka.sasl.password',
  'bus.kafka.sasl.clientSecret',
  'installation.maskKey',
  'store.postgres.url',
  'resources.*.credential.postgres-role.admin',
  'resources.*.credential.static.password',
  'resources.*.credential.ssh-certificate.ca',
  'resources.*.credential.header.value',
  'resources.*.credential.aws-assume-role.accessKeyId',
  'resources.*.credential.aws-assume-role.secretAccessKey',
  'resources.*.credential.kubernetes-token.admin',
];

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Unset {
  readonly path: Path;
  readonly message: string;
}

/** `${NAME}` inside any string becomes the variable's value, `$${` a plain `${`. What can't be put in is told, all of it. */
export function interpolate(value: unknown, env: Env): { readonly value: unknown; readonly problems: readonly Unset[] } {
  const problems: Unset[] = [];
  const changed = mapStrings(value, (text, path) => {
    if (!text.includes('${') || SECRET_PATHS.some((pattern) => matches(path, pattern))) return text;
    return text.replaceAll(REFERENCE, (whole, name: string | undefined) => {
      if (name === undefined) return '${';
      if (!ENV_NAME.test(name) || !whole.endsWith('}')) {
        problems.push({ path, message: 'expected ${NAME} with the name of an environment variable; write $${ for a plain ${' });
        return '';
      }
      const found = env[name];
      if (found === undefined)
        problems.push({ path, message: `the environment variable ${name} is not set: set it or write the value here` });
      return found ?? '';
    });
  });
  return { value: changed, problems };
}
