import type { ResourceInfo } from '@sallyport/console';
import { examples, formatOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';

const COLUMNS: readonly Column<ResourceInfo>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'ADDRESS', value: ({ address }) => address, shrinkTo: 12 },
  {
    title: 'LABELS',
    value: ({ labels }) =>
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    shrinkTo: 8,
  },
  { title: 'PROFILES', value: ({ profiles }) => profiles.join(', '), shrinkTo: 8 },
  { title: 'RECORD', value: ({ audit }) => `${audit.record}, ${audit.durability}, ${audit.mode}`, shrinkTo: 10 },
];

export const resources: Noun = (program, io) => {
  nounCommand(program, 'resources', 'what agents can be let to')
    .command('list')
    .description('list the resources of the Sallyport that runs')
    .addOption(formatOption())
    .addHelpText('after', examples('sallyport resources list'))
    .action(async (_, command) => {
      const options = optionsOf<{ format: ListFormat }>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const rows = await consoleClient(options, io).all<ResourceInfo>('resources');
      printList(rows, { columns: COLUMNS, format: options.format, none: 'No resources: add some to sallyport.yaml.' }, io);
    });
};
