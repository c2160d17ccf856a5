import { freePort } from '@sallyport/adapter-embedded-postgres';
import { once } from 'node:events';
import net from 'node:net';

/** A network between client and broker that can be bad. */
export interface LossyProxy {
  readonly port: number;
  /** While true, requests arrive and answers are lost. */
  losesAnswers: boolean;
  /** While true, connections end at once. */
  refuses: boolean;
  /** Ends every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** Listens on loopback. `to` is asked at each connection, so the broker's port may be known later. */
export async function lossyProxy(to: () => number): Promise<LossyProxy> {
  const sockets = new Set<net.Socket>();
  const port = await freePort();
  const server = net.createServer((client) => {
    if (proxy.refuses) {
      client.destroy();
      return;
    }
    const broker = net.connect({ port: to(), host: '127.0.0.1', noDelay: true });
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (bytes) => broker.write(bytes));
    broker.on('data', (bytes) => {
      if (!proxy.losesAnswers) client.write(bytes);
    });
  });
  const proxy: LossyProxy = {
    port,
    losesAnswers: false,
    refuses: false,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      proxy.cut();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return proxy;
}
