import { Option } from 'commander';
import { examples, type Noun, optionsOf } from '../program.js';

const WHAT = {
  edge: 'the data path: agents sign in here, and reach their targets through it',
  decision: 'judges operations, and takes the answers of people to what is held',
  vendor: 'makes and drops credentials; alone has those of the administrators',
  projector: 'folds the log into the read models, and signs it',
  console: 'the REST API for people',
} as const;

/** One service as a process of its own; they meet on Kafka. */
export const services: Noun = (program, io) => {
  for (const [name, what] of Object.entries(WHAT) as [keyof typeof WHAT, string][]) {
    program
      .command(name)
      .description(`run one service on Kafka: ${what}`)
      .addOption(new Option('--ready-file <file>', 'written, whole, when it accepts: JSON with addresses, revision, pid'))
      .addOption(new Option('--name <name>', 'its name among others of its kind (default: `name` of the configuration; edge: `edge.name`)'))
      .addHelpText('after', `${examples(`sallyport ${name} --config sallyport.yaml`)}\nSIGTERM and Ctrl-C drain it and exit 0.\n`)
      .action(async (_, command) => {
        const { config, data, readyFile, name: own } = optionsOf<{ readyFile?: string; name?: string }>(command);
        const { runService } = await import('../../services/run.js');
        io.exit(
          await runService(name, {
            ...(config === undefined ? {} : { config }),
            ...(data === undefined ? {} : { data }),
            ...(readyFile === undefined ? {} : { readyFile }),
            ...(own === undefined ? {} : { name: own }),
          }),
        );
      });
  }
};
