import Connection from 'kafkajs/src/network/connection.js';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { Link } from './link.js';
import { kafkaSettings } from './options.js';
import { kafkaInstalled, startKafka, type TestKafka } from './testing/index.js';

describe('what is used of kafkajs below its public API', () => {
  it('is of the version that it was read in', () => {
    const manifest = createRequire(import.meta.url).resolve('kafkajs/package.json');
    expect((JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version).toBe('2.2.4');
  });

  it('is there', () => {
    const methods = Connection.prototype as unknown as Record<string, unknown>;
    for (const name of ['connect', 'disconnect', 'authenticate', 'send', 'setVersions', 'setSupportAuthenticationProtocol', 'isConnected'])
      expect(typeof methods[name]).toBe('function');
  });
});

describe('a link', () => {
  /** Does with each connection what the test says. */
  async function serverOf(meet: (socket: net.Socket) => void): Promise<{ port: number; close(): void }> {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      meet(socket);
    });
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return {
      port,
      close() {
        sockets.forEach((socket) => socket.destroy());
        server.close();
      },
    };
  }
  const settings = kafkaSettings({ brokers: ['unused:1'], limits: { connectTimeoutMs: 300 } });

  it.each<[string, string, (socket: net.Socket) => void]>([
    ['nobody answers', 'TIMEOUT', () => undefined],
    ['the other side hangs up at once', 'AWAY', (socket) => socket.end()],
    ['it is reset', 'AWAY', (socket) => socket.resetAndDestroy()],
    ['it hangs up over the first question', 'AWAY', (socket) => socket.once('data', () => socket.end())],
    ['it answers with noise', 'AWAY', (socket) => socket.once('data', () => socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0])))],
  ])('is not made when %s, and says so: %s', async (_, code, meet) => {
    const server = await serverOf(meet);
    await expect(Link.open({ host: '127.0.0.1', port: server.port }, settings)).rejects.toMatchObject({ code });
    server.close();
  });

  it('is not made when nobody listens', async () => {
    await expect(Link.open({ host: '127.0.0.1', port: await freePort() }, settings)).rejects.toMatchObject({ code: 'AWAY' });
  });
});

(kafkaInstalled() ? describe : describe.skip)('a link to a broker', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());
  const open = (): Promise<Link> =>
    Link.open({ host: '127.0.0.1', port: kafka.port }, kafkaSettings({ brokers: kafka.brokers, limits: { connectTimeoutMs: 20_000 } }));

  it('rests when nothing is asked', async () => {
    const link = await open();
    await link.request('Metadata', { topics: ['none'] }, 20_000);
    const real = globalThis.setTimeout;
    let timers = 0;
    globalThis.setTimeout = ((...args: Parameters<typeof real>) => {
      timers += 1;
      return real(...args);
    }) as typeof real;
    await new Promise((resolve) => real(resolve, 300));
    globalThis.setTimeout = real;
    expect(timers).toBeLessThan(10);
    link.close();
  });

  it('that is closed answers nobody, those under way included', async () => {
    const link = await open();
    const asked = link.request('Metadata', { topics: ['none'] }, 20_000);
    link.close();
    await expect(asked).rejects.toMatchObject({ code: 'AWAY' });
    await expect(link.request('Metadata', { topics: ['none'] }, 20_000)).rejects.toMatchObject({ code: 'AWAY' });
    expect(link.isOpen).toBe(false);
  });

  it('P9: requestTimeoutMs: is closed by a question that gets no answer', async () => {
    const link = await open();
    await kafka.pause();
    await expect(link.request('Metadata', { topics: ['none'] }, 200)).rejects.toMatchObject({ code: 'TIMEOUT' });
    kafka.resume();
    expect(link.isOpen).toBe(false);
  });
});
