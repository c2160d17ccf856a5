import { Option } from 'commander';
import { examples, type Noun, nounCommand, optionsOf, wholeNumber } from '../program.js';

interface ConnectOptions {
  readonly port?: number;
  readonly edge?: string;
  readonly tls: boolean;
  readonly ca?: string;
}

export const connect: Noun = (program, io) => {
  nounCommand(program, 'connect', 'a local port that signs in for you')
    .command('postgres <resource>')
    .description('a port on this machine that any Postgres client can use without a password')
    .addOption(new Option('--port <port>', 'local port (default: a free one)').argParser(wholeNumber))
    .option('--edge <host:port>', 'edge to go to (default: the one that runs on the data directory, or the configuration)')
    .option('--tls', 'TLS to the edge; always for one on another machine', false)
    .option('--ca <file>', 'certificates to check the edge by (PEM; default: those of Node)')
    .addHelpText(
      'after',
      examples(
        'sallyport connect postgres shop',
        'sallyport connect postgres shop/reports --port 15432',
        'sallyport connect postgres shop --edge edge.example.com:6432',
      ) +
        '\nWho you are comes from --token, $SALLYPORT_TOKEN or `sallyport login`. Only your own processes are let in (where the system tells). Ctrl-C ends it.\n',
    )
    .action(async (resource: string, _, command) => {
      const options = optionsOf<ConnectOptions>(command);
      const { connectPostgres } = await import('../connect/connect-postgres.js');
      await connectPostgres(resource, options, io);
    });
};
