import type { Socket } from 'node:net';

import {
  type AllowedPlan,
  type MaskPlanner,
  planAt,
  rowMasker,
  type ResultField,
  type RowMasker,
  scrubMessage,
  type StringPlan,
  UNMASKED,
} from '@sallyport/masking';
import { parseSql } from '@sallyport/operation';
import type { MaskRule } from '@sallyport/verdict';
import { Client } from 'pg';

/** What the agent would have got: the bytes of every message let through, or why the string was refused. */
export interface Delivered {
  readonly refused: string | undefined;
  readonly bytes: Buffer;
  readonly tags: readonly string[];
  readonly sqlstates: readonly string[];
}

type Frame = readonly [type: string, body: Buffer];

/** A session as an edge would hold it, without the edge: real bytes from a real server, through the planner and the maskers. */
export class GatedSession {
  private received = Buffer.alloc(0);
  private arrived: () => void = () => {};
  private planner: MaskPlanner | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly client: Client,
    private readonly masks: readonly MaskRule[],
  ) {
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.arrived();
    });
  }

  static async open(url: string, masks: readonly MaskRule[]): Promise<GatedSession> {
    const client = new Client({ connectionString: url });
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    return new GatedSession(stream, client, masks);
  }

  /** As a new session. Without a planner everything goes through as it is. */
  async reset(planner: MaskPlanner | undefined): Promise<void> {
    this.planner = planner;
    for (const text of ['ROLLBACK', 'DISCARD ALL']) {
      this.socket.write(message('Q', cstring(text)));
      await this.untilReady();
    }
  }

  async run(text: string, way: 'simple' | 'extended'): Promise<Delivered> {
    const sql = parseSql(text);
    const plan = this.planner ? await this.planner.plan({ sql, masks: this.masks, searchPath: '"$user", public' }) : UNMASKED;
    if (plan.refused) return { refused: plan.refused.reason, bytes: Buffer.alloc(0), tags: [], sqlstates: [] };
    this.socket.write(way === 'simple' ? message('Q', cstring(text)) : extended(text));
    return this.deliver(await this.untilReady(), plan, text, way);
  }

  close(): void {
    this.socket.destroy();
    // pg says so when its socket goes.
    this.client.on('error', () => {});
  }

  private deliver(frames: readonly Frame[], plan: StringPlan, text: string, way: 'simple' | 'extended'): Delivered {
    const out: Buffer[] = [];
    const tags: string[] = [];
    const sqlstates: string[] = [];
    let index = 0;
    let masker: RowMasker | undefined;
    for (const [type, body] of frames) {
      const current = planAt(plan, index) as AllowedPlan;
      if (type === 'T')
        masker = rowMasker(current, rowDescription(body, way === 'extended' ? 1 : undefined), { hashKey: Buffer.alloc(32, 1) });
      if (type === 'D') out.push(masker ? masker.mask(body) : body);
      else if ((type === 'E' || type === 'N') && current.scrub) {
        const fields = scrubMessage(messageFields(body), text);
        sqlstates.push(fields.get('C') ?? '');
        out.push(Buffer.from([...fields.values()].join('\n')));
      } else out.push(body);
      if (type === 'C') tags.push(body.subarray(0, -1).toString());
      if (type === 'C' || type === 'I') index++;
    }
    return { refused: undefined, bytes: Buffer.concat(out), tags, sqlstates };
  }

  private async untilReady(): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (;;) {
      const type = String.fromCharCode(this.received[0] ?? 0);
      const length = this.received.length >= 5 ? this.received.readInt32BE(1) + 1 : Infinity;
      if (this.received.length < length) {
        await new Promise<void>((resolve) => (this.arrived = resolve));
        continue;
      }
      frames.push([type, this.received.subarray(5, length)]);
      this.received = this.received.subarray(length);
      if (type === 'Z') return frames;
    }
  }
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** Parse, Bind with all results in binary, Describe of the portal, Execute, Sync. */
function extended(text: string): Buffer {
  return Buffer.concat([
    message('P', cstring(''), cstring(text), Buffer.from([0, 0])),
    message('B', cstring(''), cstring(''), Buffer.from([0, 0, 0, 0, 0, 1, 0, 1])),
    message('D', Buffer.from('P'), cstring('')),
    message('E', cstring(''), Buffer.alloc(4)),
    message('S'),
  ]);
}

function rowDescription(body: Buffer, format: 1 | undefined): ResultField[] {
  const fields: ResultField[] = [];
  let at = 2;
  for (let i = 0; i < body.readInt16BE(0); i++) {
    const end = body.indexOf(0, at);
    const name = body.subarray(at, end).toString();
    fields.push({
      name,
      tableOid: body.readUInt32BE(end + 1),
      attribute: body.readInt16BE(end + 5),
      typeOid: body.readUInt32BE(end + 7),
      format: format ?? (body.readInt16BE(end + 17) as 0 | 1),
    });
    at = end + 19;
  }
  return fields;
}

function messageFields(body: Buffer): Map<string, string> {
  const fields = new Map<string, string>();
  for (const part of body.toString().split('\0')) if (part) fields.set(part.charAt(0), part.slice(1));
  return fields;
}
