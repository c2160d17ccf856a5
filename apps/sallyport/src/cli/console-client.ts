import { CliError, EXIT, wrongUse } from './exit.js';
import type { Io } from './io.js';
import { consoleToken, type Credential } from './credentials.js';
import { cliSettings, type CliSettings, type GlobalOptions } from './settings.js';

const REQUEST_TIMEOUT_MS = 35_000;
const PAGE_ROWS = 500;

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** The console's REST API, and who asks it. Every failure is a {@link CliError} that says what to do. */
export class ConsoleClient {
  constructor(
    readonly url: string,
    private readonly credential: Credential,
    private readonly io: Io,
  ) {}

  get<Body>(path: string, query: Query = {}): Promise<Body> {
    return this.#json<Body>(this.#send(path, { query }));
  }

  post<Body>(path: string, body: object): Promise<Body> {
    return this.#json<Body>(this.#send(path, { method: 'POST', body: JSON.stringify(body) }));
  }

  /** Rows of a list, page by page, up to `most`. */
  async *rows<Row>(path: string, query: Query = {}, most = Infinity): AsyncGenerator<Row, void, undefined> {
    let cursor: string | undefined;
    let left = most;
    while (left > 0) {
      const page = await this.get<{ items: Row[]; next: string | null }>(path, { ...query, cursor, limit: Math.min(left, PAGE_ROWS) });
      yield* page.items;
      left -= page.items.length;
      if (page.next === null) return;
      cursor = page.next;
    }
  }

  async all<Row>(path: string, query: Query = {}, most = Infinity): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const row of this.rows<Row>(path, query, most)) rows.push(row);
    return rows;
  }

  /** A server-sent event stream, as it comes. */
  async stream(path: string, query: Query): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send(path, { query, endless: true });
    if (!response.body) throw new CliError(EXIT.unreachable, `the console at ${this.url} sent no stream`);
    return response.body;
  }

  async #send(
    path: string,
    { query = {}, method = 'GET', body, endless = false }: { query?: Query; method?: string; body?: string; endless?: boolean },
  ): Promise<Response> {
    const url = new URL(`/api/v1/${path}`, this.url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const signal = endless ? this.io.signal : AbortSignal.any([this.io.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        signal,
        redirect: 'error',
        headers: {
          authorization: `Bearer ${this.credential.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
      });
    } catch (cause) {
      if (this.io.signal.aborted) throw cause;
      const reason =
        (cause as { cause?: { code?: string } }).cause?.code ??
        ((cause as Error).name === 'TimeoutError' ? 'no answer in time' : (cause as Error).message);
      throw new CliError(EXIT.unreachable, `can't reach the console at ${this.url} (${reason})`, {
        cause,
        hint: 'Is `sallyport up` running? Another address: --console URL, or --config FILE and --data DIR of the one that runs.',
      });
    }
    if (!response.ok) throw await this.#refused(response);
    return response;
  }

  async #refused(response: Response): Promise<CliError> {
    let problem: Problem = {};
    try {
      problem = (await response.json()) as Problem;
    } catch {
      // Not the console, or not all of its answer: the status has to do.
    }
    const detail = problem.detail ?? problem.title ?? `the console at ${this.url} answered ${response.status}`;
    switch (response.status) {
      case 401:
        return new CliError(EXIT.usage, `the token from ${this.credential.from} was not accepted`, {
          hint: 'Sign in with `sallyport login`, or give a token with --token or $SALLYPORT_TOKEN.',
        });
      case 403:
        return new CliError(EXIT.found, `refused: ${detail}`);
      case 404:
      case 409:
        return new CliError(EXIT.found, detail);
      case 400:
      case 413:
        return wrongUse(detail);
      default:
        return new CliError(EXIT.unreachable, detail);
    }
  }

  async #json<Body>(sent: Promise<Response>): Promise<Body> {
    const response = await sent;
    try {
      return (await response.json()) as Body;
    } catch (cause) {
      if (this.io.signal.aborted) throw cause;
      throw new CliError(EXIT.unreachable, `what answers at ${this.url} is not a console`, { cause });
    }
  }
}

/** Where the console is (`--console`, the `up` that runs on this data directory, the configuration), and with which token. */
export function consoleClient(options: GlobalOptions, io: Io, settings: CliSettings = cliSettings(options, io)): ConsoleClient {
  const credential = consoleToken(options, settings, io);
  if (credential === undefined)
    throw new CliError(EXIT.usage, 'you are not signed in, and this data directory has no operator token', {
      hint: `Sign in with \`sallyport login\`, or name the data directory of the one that runs (now ${settings.dataDir}): --data DIR.`,
    });
  return new ConsoleClient(consoleUrl(options, settings), credential, io);
}

function consoleUrl(options: GlobalOptions, { config, run }: CliSettings): string {
  const { address, tls } = config.listen.console;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const given = options.console ?? run?.listeners['console'] ?? `${host}:${address.port}`;
  const text = given.includes('://') ? given : `${tls ? 'https' : 'http'}://${given}`;
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw wrongUse(`${given} is no address of a console`, 'Write it as http://127.0.0.1:8700.');
  const url = new URL(text);
  if (url.protocol === 'http:' && !/^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname))
    throw wrongUse(`a token is not sent to ${url.origin}: only https leaves this machine`);
  return url.origin;
}
