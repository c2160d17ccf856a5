import { parentPort, Worker, type TransferListItem, workerData } from 'node:worker_threads';

type Handlers = Readonly<Record<string, (argument: unknown) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string; readonly code: string | undefined };

/** What a service in a thread threw; its `code` is kept. */
export class WorkerCallError extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** A service in a worker thread: started, asked, closed. */
export interface WorkerLink {
  call<Result>(name: string, argument?: unknown): Promise<Result>;
  /** Resolves with what went wrong when the thread ends without being told to. */
  readonly died: Promise<Error>;
  terminate(): Promise<void>;
}

/** Starts a thread and waits until it serves. Rejects with what its start threw. */
export async function startWorker(url: URL, data: unknown, transferList: readonly TransferListItem[]): Promise<WorkerLink> {
  const worker = new Worker(url, { workerData: data, transferList: [...transferList], execArgv: [] });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let next = 1;
  let ending = false;
  const died = new Promise<Error>((resolve) => {
    worker.once('error', resolve);
    worker.once('exit', (code) => {
      const error = new Error(`the thread ended with code ${code}`);
      for (const { reject } of waiting.values()) reject(error);
      if (!ending) resolve(error);
    });
  });
  worker.on('message', (answer: Answer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) call?.reject(new WorkerCallError(answer.error, answer.code));
    else call?.resolve(answer.result as never);
  });
  const call = <Result>(name: string, argument?: unknown): Promise<Result> =>
    new Promise<Result>((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, argument } satisfies Call);
    });
  const failed = died.then((error) => {
    throw error;
  });
  failed.catch(() => undefined);
  await Promise.race([call('ready'), failed]);
  return {
    call,
    died,
    async terminate() {
      ending = true;
      await worker.terminate();
    },
  };
}

/** The other end: answers calls with these handlers until `close` was answered. */
export function serveWorker<Data>(start: (data: Data) => Promise<Handlers>): void {
  const port = parentPort;
  if (!port) throw new Error('this module runs in a worker thread');
  const handlers = start(workerData as Data);
  handlers.catch((error: unknown) => {
    throw error;
  });
  port.on('message', (call: Call) => {
    const answer = async (): Promise<unknown> => {
      const known = await handlers;
      return call.name === 'ready' ? undefined : known[call.name]!(call.argument);
    };
    answer().then(
      (result) => port.postMessage({ id: call.id, result } satisfies Answer),
      (error: unknown) => port.postMessage({ id: call.id, ...told(error) } satisfies Answer),
    );
  });
}

function told(error: unknown): { readonly error: string; readonly code: string | undefined } {
  if (!(error instanceof Error)) return { error: 'something that is no error was thrown', code: undefined };
  return { error: error.message, code: 'code' in error && typeof error.code === 'string' ? error.code : undefined };
}
