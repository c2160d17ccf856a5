import type { Envelope } from '@sallyport/events';
import type { ConsoleClient } from '../console-client.js';
import { CliError, EXIT } from '../exit.js';
import type { Io } from '../io.js';
import { serverSentEvents } from './sse.js';
import { Timeline } from './timeline.js';

export interface TailOptions {
  readonly session: string | undefined;
  readonly format: 'text' | 'json';
}

/** Follows what happens. Of one session it begins at its opening, and ends with it. */
export async function tail(client: ConsoleClient, { session, format }: TailOptions, io: Io): Promise<void> {
  // Listening begins before what was is read, so that nothing falls between the two.
  const live = serverSentEvents(await client.stream('events', { follow: '', session }));
  const show = printer(format, session !== undefined, io);
  let last = -1;
  if (session !== undefined) {
    for await (const event of client.rows<Envelope>(`sessions/${encodeURIComponent(session)}/events`)) {
      last = event.sequence ?? last;
      show(event);
      if (isEnd(event)) return;
    }
  } else if (format === 'text') io.err('Following all sessions; Ctrl-C ends it.\n');
  try {
    for await (const { event: type, data } of live) {
      if (type === 'end') throw new CliError(EXIT.unreachable, `the stream ended: ${reasonOf(data)}`);
      const event = JSON.parse(data) as Envelope;
      if (session !== undefined && (event.sequence ?? 0) <= last) continue;
      show(event);
      if (session !== undefined && isEnd(event)) return;
    }
  } catch (error) {
    if (io.signal.aborted || error instanceof CliError) throw error;
    throw new CliError(EXIT.unreachable, `the console at ${client.url} broke off`, { cause: error });
  }
  throw new CliError(EXIT.unreachable, `the console at ${client.url} has gone`);
}

function isEnd({ type }: Envelope): boolean {
  return type === 'session.closed' || type === 'session.aborted';
}

function printer(format: TailOptions['format'], isOne: boolean, io: Io): (event: Envelope) => void {
  if (format === 'json') return (event) => io.out(`${JSON.stringify(event)}\n`);
  if (isOne) {
    const timeline = new Timeline(io);
    return (event) => io.out(timeline.event(event));
  }
  // Times of many sessions have no common start: clock times, and a session id before each line.
  const timelines = new Map<string, Timeline>();
  return (event) => {
    const id = event.sessionid ?? '';
    const timeline = timelines.get(id) ?? new Timeline(io, { session: id });
    timelines.set(id, timeline);
    io.out(timeline.event(event));
    if (isEnd(event)) timelines.delete(id);
  };
}

function reasonOf(data: string): string {
  try {
    return (JSON.parse(data) as { reason?: string }).reason ?? 'no reason given';
  } catch {
    return 'no reason given';
  }
}
