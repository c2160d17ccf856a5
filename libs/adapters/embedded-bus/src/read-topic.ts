import { type FoundDamage, type FoundRecord, inspectJournal } from '@sallyport/journal';
import { join } from 'node:path';
import { partitionsIn, topicDirectory } from './topics.js';

/** A record, or damage, and the partition it is in. `file` is relative to the partition's directory. */
export type FoundInTopic = (FoundRecord | FoundDamage) & { readonly partition: number; readonly directory: string };

/**
 * Everything in one topic of a bus directory, or of a copy of one, partition by partition. Locks and changes nothing; reports
 * damage with its file and byte and goes on behind it. Nothing at all when the topic isn't there.
 */
export async function* readEmbeddedTopic(dir: string, topic: string): AsyncGenerator<FoundInTopic, void, undefined> {
  const directory = topicDirectory(dir, topic);
  for (const partition of await partitionsIn(directory)) {
    const path = join(directory, String(partition));
    for await (const found of inspectJournal(path)) yield { ...found, partition, directory: path };
  }
}
