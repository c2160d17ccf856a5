import { Option } from 'commander';
import { CliError, EXIT, wrongUse } from '../exit.js';
import { printable } from '../io.js';
import { examples, type Noun, optionsOf } from '../program.js';
import type { CliSettings } from '../settings.js';
import { duration } from '../units.js';

interface LoginOptions {
  readonly provider?: string;
  readonly issuer?: string;
  readonly clientId: string;
  readonly scope: string;
  readonly device: boolean;
  readonly browser: boolean;
  readonly param: readonly string[];
  readonly out: boolean;
}

const DEFAULT_CLIENT_ID = 'sallyport-cli';

export const login: Noun = (program, io) => {
  program
    .command('login')
    .description('sign in with an identity provider; the token is kept for the other commands')
    .option(
      '--provider <name>',
      'one of identity.providers in the configuration (default: the first one, or the development issuer that runs)',
    )
    .addOption(new Option('--issuer <url>', 'an issuer that is not in the configuration').conflicts('provider'))
    .option('--client-id <id>', 'public client that the provider knows this command by', DEFAULT_CLIENT_ID)
    .option('--scope <scopes>', 'scopes to ask for', 'openid')
    .option(
      '--param <name=value>',
      'more for the provider, as audience=sallyport; may be repeated',
      (value: string, all: readonly string[]) => [...all, value],
      [] as readonly string[],
    )
    .option('--device', 'with a code to enter on another screen, where there is no browser', false)
    .option('--no-browser', 'print the address, open nothing')
    .option('--out', 'sign out: forget the token', false)
    .addHelpText(
      'after',
      examples(
        'sallyport login',
        'sallyport login --device',
        'sallyport login --provider corp --param audience=sallyport',
        'sallyport login --out',
      ),
    )
    .action(async (_, command) => {
      const options = optionsOf<LoginOptions>(command);
      const { forgetLogin, writeLogin } = await import('../login/token-store.js');
      if (options.out) {
        forgetLogin(io.env);
        io.out('Signed out.\n');
        return;
      }
      const [{ cliSettings }, { signIn }] = await Promise.all([import('../settings.js'), import('../login/sign-in.js')]);
      const issuer = options.issuer ?? issuerOf(cliSettings(options, io), options.provider);
      const { clientId, scope, device, browser } = options;
      const stored = await signIn({ issuer, clientId, scope, parameters: parametersOf(options.param), device, browser }, io);
      const path = writeLogin(stored, io.env);
      io.out(`Signed in as ${printable(stored.subject)} for ${duration(stored.expiresAtMs - Date.now())}. The token is in ${path}.\n`);
    });

  program
    .command('token')
    .description('print a token and nothing else: for PGPASSWORD, scripts and exec plugins')
    .addHelpText('after', examples('PGPASSWORD="$(sallyport token)" psql "host=127.0.0.1 port=6432 dbname=shop user=me"'))
    .action(async (_, command) => {
      const options = optionsOf(command);
      const [{ userToken }, { readLogin, writeLogin }] = await Promise.all([
        import('../credentials.js'),
        import('../login/token-store.js'),
      ]);
      const stored = options.token === undefined && !io.env['SALLYPORT_TOKEN'] ? readLogin(io.env) : undefined;
      if (stored?.refreshToken !== undefined && stored.expiresAtMs - Date.now() < RENEW_BEFORE_MS) {
        const { renew } = await import('../login/sign-in.js');
        writeLogin(await renew(stored, io), io.env);
      }
      const credential = userToken(options, io);
      if (credential === undefined)
        throw new CliError(
          EXIT.usage,
          stored === undefined ? 'you are not signed in' : `the login of ${printable(stored.subject)} has expired`,
          { hint: 'Sign in with `sallyport login`.' },
        );
      io.out(`${credential.token}\n`);
    });
};

const RENEW_BEFORE_MS = 60_000;

function issuerOf({ config, run }: CliSettings, name: string | undefined): string {
  const oidc = config.identity.providers.filter((provider) => provider.kind === 'oidc');
  if (name === 'dev' && run?.issuer !== undefined) return run.issuer;
  if (name !== undefined) {
    const found = oidc.find((provider) => provider.name === name);
    if (!found)
      throw wrongUse(
        `there is no OIDC provider ${name} in the configuration`,
        oidc.length === 0 ? 'It has none.' : `It has ${oidc.map((provider) => provider.name).join(', ')}.`,
      );
    return found.oidc.issuer;
  }
  const issuer = oidc[0]?.oidc.issuer ?? run?.issuer;
  if (issuer === undefined)
    throw wrongUse(
      'there is nobody to sign in with: the configuration has no OIDC provider, and no Sallyport with a development issuer runs on this data directory',
      'Add one under identity.providers, start `sallyport up --dev`, or name one with --issuer URL.',
    );
  return issuer;
}

function parametersOf(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=');
      if (equals < 1) throw wrongUse(`--param ${text}: expected name=value`);
      return [text.slice(0, equals), text.slice(equals + 1)] as const;
    }),
  );
}
