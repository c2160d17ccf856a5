import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConsoleClient } from '../console-client.js';
import { CliError, wrongUse } from '../exit.js';

/** The files of an export, in the order in which they are written. */
export const EVIDENCE_FILES = ['events.jsonl', 'checkpoint', 'inclusion.json', 'keys'] as const;

export type EvidenceTexts = Readonly<Record<(typeof EVIDENCE_FILES)[number], string>>;

/** A session that has just ended is signed for within a second or so. */
const TRIES = 10;
const TRY_PAUSE_MS = 500;

/** Writes the evidence of a session into a directory of its own: one that is there must be empty. */
export async function exportSession(
  client: ConsoleClient,
  session: string,
  out: string,
  cwd: string,
): Promise<{ readonly directory: string; readonly events: number }> {
  const directory = resolve(cwd, out);
  try {
    mkdirSync(directory, { recursive: true });
    if (readdirSync(directory).length > 0) throw wrongUse(`${out} is not empty`, 'Name a directory that is not there yet.');
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw wrongUse(`can't write to ${out} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  const evidence = await fetchEvidence(client, session);
  for (const name of EVIDENCE_FILES) writeFileSync(join(directory, name), evidence[name]);
  return { directory: out, events: evidence['events.jsonl'].split('\n').length - 1 };
}

/** Waits for the checkpoint that covers the end of the session, if it has only just ended. */
export async function fetchEvidence(client: ConsoleClient, session: string): Promise<EvidenceTexts> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await client.get<EvidenceTexts>(`sessions/${encodeURIComponent(session)}/export`);
    } catch (error) {
      const isEarly = error instanceof CliError && error.message.includes('no checkpoint covers');
      if (!isEarly || tries >= TRIES) throw error;
      await new Promise((go) => setTimeout(go, TRY_PAUSE_MS));
    }
  }
}
