import { rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compose, type Running } from './compose.js';
import { firstScreen } from './first-screen.js';
import { createLog } from '../services/log.js';
import { startSample } from './sample.js';
import { asJson, BROKE, DONE, failed, untilSignal, writeWhole } from '../services/process.js';
import { loadSettings, type Settings } from '../services/settings.js';

export interface UpOptions {
  /** Default ./sallyport.yaml when it is there, else the sample shop with a development issuer. */
  readonly config?: string;
  readonly data?: string;
  readonly readyFile?: string;
  readonly dev?: boolean;
}

/** Runs everything until SIGTERM or SIGINT; resolves with the exit code. */
export async function runUp(options: UpOptions): Promise<number> {
  process.umask(0o077);
  const log = createLog('up', process.env.SALLYPORT_LOG_LEVEL ?? 'warn');
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const { settings, dev, env } = await settingsFor(options, stops);
    const signal = untilSignal();
    const running = await compose({ ...settings, dev, env, log });
    stops.push(() => running.close());
    await announce(running, settings, options);
    const ended = await Promise.race([signal, running.died]);
    if (ended instanceof Error) {
      log.error({ err: ended }, 'a service died');
      process.stderr.write(`sallyport: a service died: ${ended.message}\n`);
    }
    await stop();
    return ended instanceof Error ? BROKE : DONE;
  } catch (error) {
    await stop().catch(() => undefined);
    return failed(error);
  } finally {
    if (options.readyFile) await rm(options.readyFile, { force: true });
  }
}

async function settingsFor(
  options: UpOptions,
  stops: (() => Promise<unknown>)[],
): Promise<{ settings: Settings; dev: boolean; env: NodeJS.ProcessEnv }> {
  const path = options.config ?? (existsSync('sallyport.yaml') ? 'sallyport.yaml' : undefined);
  const data = options.data === undefined ? {} : { data: options.data };
  const dev = options.dev === true || path === undefined;
  const { env } = process;
  if (path !== undefined) return { settings: await loadSettings({ config: { path }, ...data, dev, env }), dev, env };
  const sample = await startSample(resolve(options.data ?? 'data'), true);
  stops.push(() => sample.stop());
  const sampleEnv = { ...env, ...sample.env };
  return { settings: await loadSettings({ config: sample.config, ...data, dev, env: sampleEnv }), dev, env: sampleEnv };
}

/** The screen for people, the ready file for scripts, and `run.json` for the command line. */
async function announce(running: Running, { config, policy, warnings }: Settings, { readyFile }: UpOptions): Promise<void> {
  const { listeners, policyRevision, issuer } = running;
  const ready = {
    listeners,
    policyRevision,
    pid: process.pid,
    ...(issuer ? { issuer: issuer.issuer, tokens: await issuer.tokens() } : {}),
  };
  const { tokens: _, ...run } = { tokens: undefined, ...ready };
  await writeWhole(join(config.data, 'run.json'), asJson(run));
  process.stdout.write(`${firstScreen(running, config, policy.grants, warnings)}\n`);
  if (readyFile !== undefined) await writeWhole(readyFile, asJson(ready));
}
