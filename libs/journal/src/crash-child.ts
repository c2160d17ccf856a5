/** Appends until it is killed, and says on standard output what it was told is durable. Run by crash.spec.ts. */
import { openJournal } from './index.js';

const directory = process.argv[2]!;
const journal = await openJournal({ directory, segmentBytes: 64 * 1024 });
process.stdout.write('open\n');
for (let n = Number(journal.nextOffset); ;) {
  const durability = n % 2 === 0 ? 'process' : 'disk';
  let last = -1n;
  for (let i = 0; i < 1 + (n % 7); i++, n++)
    last = journal.append({ key: `k${n % 3}`, value: Buffer.from(`record ${n} `.repeat(1 + (n % 40))) }, { durability });
  await journal.durable(last, durability);
  process.stdout.write(`${last}\n`);
}
