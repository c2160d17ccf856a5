/** Who talks to what is being broken: agents, people at the console, probes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A connection of an agent. What ends it is its own affair: `client.ended` tells. */
export async function connected(options) {
  const client = new pg.Client({ connectionTimeoutMillis: 15_000, ...options });
  client.ended = new Promise((resolve) => {
    let last;
    client.on('error', (error) => (last ??= error));
    client.once('end', () => resolve(last));
  });
  await client.connect();
  return client;
}

/** The REST interface of the console of a data directory, as its local operator or with a token. */
export async function askConsole({ address, dataDir, timeoutMs }, method, path, { token, body } = {}) {
  const operator = async () => (await readFile(join(dataDir, 'operator.token'), 'utf8')).trim();
  const response = await fetch(`http://${address}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token ?? (await operator())}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

/** @param {string} address  Of the figures, `host:port`. */
export async function readinessAt(address) {
  const response = await fetch(`http://${address}/readyz`, { signal: AbortSignal.timeout(5000) });
  return { status: response.status, text: await response.text() };
}

/** Tries until it doesn't throw; after the time is over its last error is the answer, and one that is final is so at once. */
export async function eventually(attempt, timeoutMs = 20_000, pauseMs = 200) {
  for (const end = Date.now() + timeoutMs; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (error.isFinal || Date.now() > end) throw error;
      await sleep(pauseMs);
    }
  }
}
