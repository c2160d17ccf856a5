export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** A stream without a line end for longer than this is none of ours. */
const LINE_MAX_CHARS = 128 * 1024 * 1024;

/** Server-sent events (HTML standard, section 9.2.6), as much of the format as the console uses. */
export async function* serverSentEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  let [event, data] = ['message', [] as string[]];
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    if (text.length > LINE_MAX_CHARS) throw new RangeError('a line of the stream has no end');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { event, data: data.join('\n') };
        [event, data] = ['message', []];
      } else if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) data.push(line.slice(6));
    }
  }
}
