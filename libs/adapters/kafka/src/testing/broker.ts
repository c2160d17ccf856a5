import { freePort } from '@sallyport/adapter-embedded-postgres';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const DEPLOY = join(import.meta.dirname, '../../../../../deploy/kafka');
const HEAP = '256m';
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
/** Another broker of the same machine may take the port that was free a moment ago. */
const PORT_TRIES = 3;

export interface StartKafkaOptions {
  /** Lines of server.properties that win over deploy/kafka/server.properties.in. `@PORT@` in a value is the port. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Kept at `stop()`. Default: a temporary directory that `stop()` removes. */
  readonly dataDir?: string;
  readonly port?: number;
  /** More arguments of `kafka-storage format`, such as `--add-scram`. */
  readonly formatArguments?: readonly string[];
  /** Of all brokers of one cluster. Default: one of its own. */
  readonly clusterId?: string;
  readonly controllerPort?: number;
  /** More arguments of the JVM, such as `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=…`. */
  readonly jvmArguments?: readonly string[];
}

/** One broker on loopback. Each call works on the process that `start` made last. */
export interface TestKafka {
  /** `127.0.0.1:PORT`, in the form that clients take. */
  readonly brokers: string[];
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  /** What the broker has said. */
  log(): Promise<string>;
  /** Again after `kill()` or `halt()`, on the same data and port. Resolves when it serves. */
  start(): Promise<void>;
  /** SIGTERM, and the data stay. */
  halt(): Promise<void>;
  /** SIGKILL, and the data stay. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. Resolves when every thread stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** SIGTERM, then SIGKILL; removes the data unless `dataDir` was given. */
  stop(): Promise<void>;
}

function libsDirectory(): string {
  return process.env['SALLYPORT_KAFKA_LIBS'] ?? join(DEPLOY, 'libs');
}

/**
 * Whether this machine has Java and the jars of deploy/kafka/install.sh. With `SALLYPORT_REQUIRE_KAFKA=1` it throws instead of answering no,
 * so that a run that is about Kafka can't pass by skipping.
 */
export function kafkaInstalled(): boolean {
  const libs = libsDirectory();
  const jars = existsSync(libs) && readdirSync(libs).some((name) => /^kafka_2\.13-.*\.jar$/.test(name));
  const java = spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;
  if (jars && java) return true;
  if (process.env['SALLYPORT_REQUIRE_KAFKA'] === '1')
    throw new Error(java ? `there are no jars of Kafka in ${libs}: run deploy/kafka/install.sh` : 'java is missing');
  return false;
}

/** Starts a broker. Takes 4 to 10 s, and 400 MB of memory until it is stopped. */
export async function startKafka(options: StartKafkaOptions = {}): Promise<TestKafka> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sallyport-kafka-')));
  await mkdir(dataDir, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const broker = new Broker(
      { ...options, dataDir, keepsData: options.dataDir !== undefined },
      options.port ?? (await freePort()),
      options.controllerPort ?? (await freePort()),
    );
    try {
      await broker.start();
      return broker;
    } catch (error) {
      await broker.halt();
      if (options.port !== undefined || attempt === PORT_TRIES || !/Address already in use/i.test(String(error))) {
        await broker.stop();
        throw error;
      }
    }
  }
}

/** As Kafka's own, it doesn't begin with a dash: on a command line that would be an option. */
export function newClusterId(): string {
  const id = Buffer.from(crypto.randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

/** By the state of each thread where there is /proc; elsewhere a moment has to do. */
async function standsStill(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return sleep(100, true);
  const states = await Promise.all(
    (await readdir(tasks)).map(async (task) => /\) (?<state>.)/.exec(await readFile(join(tasks, task, 'stat'), 'utf8'))?.groups?.['state']),
  );
  return states.every((state) => state === 'T');
}

class Broker implements TestKafka {
  #child: ChildProcess | undefined;
  readonly #logFile: string;

  constructor(
    private readonly options: StartKafkaOptions & { readonly dataDir: string; readonly keepsData: boolean },
    readonly port: number,
    private readonly controllerPort: number,
  ) {
    this.#logFile = join(options.dataDir, 'broker.log');
    // A test that is ended leaves no broker behind.
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  get brokers(): string[] {
    return [`127.0.0.1:${this.port}`];
  }

  get dataDir(): string {
    return this.options.dataDir;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8').catch(() => '');
  }

  async start(): Promise<void> {
    const properties = join(this.dataDir, 'server.properties');
    if (!existsSync(join(this.dataDir, 'log/meta.properties'))) {
      await this.#configure(properties);
      await promisify(execFile)('java', [
        ...this.#jvm(),
        'kafka.tools.StorageTool',
        'format',
        '-t',
        this.options.clusterId ?? newClusterId(),
        '-c',
        properties,
        ...(this.options.formatArguments ?? []),
      ]);
    }
    await writeFile(this.#logFile, '');
    const log = await open(this.#logFile, 'a');
    const child = spawn('java', [...this.#jvm(), 'kafka.Kafka', properties], { stdio: ['ignore', log.fd, log.fd] });
    this.#child = child;
    await log.close();
    for (const until = Date.now() + START_TIMEOUT_MS; ; await sleep(50)) {
      const said = await this.log();
      if (said.includes('Kafka Server started')) return;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the broker ended at its start\n${said.slice(-4000)}`);
      if (Date.now() > until) throw new Error(`the broker was not up within ${START_TIMEOUT_MS} ms\n${said.slice(-4000)}`);
    }
  }

  async halt(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async pause(): Promise<void> {
    this.#child?.kill('SIGSTOP');
    // The signal is sent before it has worked: a thread that runs may still answer.
    for (const until = Date.now() + STOP_TIMEOUT_MS; !(await standsStill(this.pid)); await sleep(5))
      if (Date.now() > until) throw new Error('the broker does not stand still');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.halt();
    if (!this.options.keepsData) await rm(this.dataDir, { recursive: true, force: true });
  }

  #jvm(): string[] {
    return [
      '-XX:+UseSerialGC',
      `-Xms${HEAP}`,
      `-Xmx${HEAP}`,
      `-Dlog4j2.configurationFile=${join(DEPLOY, 'log4j2.properties')}`,
      ...(this.options.jvmArguments ?? []),
      '-cp',
      join(libsDirectory(), '*'),
    ];
  }

  async #configure(path: string): Promise<void> {
    const places = { '@PORT@': this.port, '@CPORT@': this.controllerPort, '@DATA@': join(this.dataDir, 'log') };
    const fill = (text: string): string => Object.entries(places).reduce((filled, [at, value]) => filled.replaceAll(at, `${value}`), text);
    await writeFile(path, fill(await readFile(join(DEPLOY, 'server.properties.in'), 'utf8')));
    for (const [name, value] of Object.entries(this.options.properties ?? {})) await appendFile(path, `${name}=${fill(value)}\n`);
  }

  /** Waits for the end. A process that was stopped with SIGSTOP hears nothing else than SIGKILL. */
  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGCONT');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}
