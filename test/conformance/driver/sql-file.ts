import { encodeBind, encodeDescribe, encodeExecute, encodeFlush, encodeParse, encodeSync } from '@sallyport/wire-postgres';
import type { CopyIn, Session } from './session.js';

/** One string that is sent at once: a statement, or several. */
export interface Block {
  readonly sql: string;
  readonly copyIn?: CopyIn;
  /** Text values of $1, $2, …; such a block has no meaning in the simple protocol. */
  readonly parameters?: readonly (string | null)[];
  /** Its values hold OIDs, which differ from run to run. */
  readonly notBinary?: boolean;
}

export type Mode = 'simple' | 'extended' | 'binary';

/**
 * Reads a corpus file. Blocks stand between blank lines. Lines `--> copy: JSON` (chunks of copy data), `--> params: JSON` (values of
 * parameters) and `--> not binary` at the head of a block belong to it and are not sent. Whatever else stands there is sent as it is,
 * comments too.
 */
export function readBlocks(text: string): readonly Block[] {
  return text
    .split(/\n[ \t]*\n/)
    .map((block) => block.replace(/^\n+|\n+$/g, ''))
    .filter((block) => block !== '')
    .map(readBlock);
}

function readBlock(block: string): Block {
  const lines = block.split('\n');
  let read: Block = { sql: '' };
  while (lines[0]?.startsWith('--> ')) {
    const [, name, json] = /^--> (copy|params|not binary)(?:: (.*))?$/.exec(lines.shift()!) ?? [];
    if (name === 'not binary') read = { ...read, notBinary: true };
    else if (name === 'copy') read = { ...read, copyIn: JSON.parse(json!) as CopyIn };
    else if (name === 'params') read = { ...read, parameters: JSON.parse(json!) as string[] };
    else throw new Error(`not a directive: ${block}`);
  }
  return { ...read, sql: lines.join('\n') };
}

/** Sends every block in one session: as simple queries, or as prepared statements whose results come as text or binary. */
export async function runBlocks(session: Session, blocks: readonly Block[], mode: Mode): Promise<void> {
  for (const block of blocks) {
    if (mode === 'binary' && block.notBinary) continue;
    if (mode === 'simple') {
      if (!block.parameters) await session.query(block.sql, block.copyIn);
    } else if (block.copyIn) {
      // A Sync sent ahead would be ignored in copy-in mode.
      await session.send(`${mode} ${block.sql}`, [...prepared(block, mode), encodeFlush({ kind: 'flush' })], 0);
      await session.copyIn(block.copyIn);
      await session.send('sync', [encodeSync({ kind: 'sync' })], 1);
    } else {
      await session.send(`${mode} ${block.sql}`, [...prepared(block, mode), encodeSync({ kind: 'sync' })], 1);
    }
  }
}

function prepared({ sql, parameters = [] }: Block, mode: Mode): Buffer[] {
  return [
    encodeParse({ kind: 'parse', statement: '', sql: Buffer.from(sql), parameterTypes: [] }),
    encodeDescribe({ kind: 'describe', target: 'statement', name: '' }),
    encodeBind({
      kind: 'bind',
      portal: '',
      statement: '',
      parameterFormats: [],
      parameters: parameters.map((value) => (value === null ? null : Buffer.from(value))),
      resultFormats: mode === 'binary' ? [1] : [],
    }),
    encodeDescribe({ kind: 'describe', target: 'portal', name: '' }),
    encodeExecute({ kind: 'execute', portal: '', maxRows: 0 }),
  ];
}
