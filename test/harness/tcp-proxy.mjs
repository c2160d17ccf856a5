/** A network between two processes that can be made bad: on loopback, one upstream, any number of connections. */
import { createServer, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of one piece that a slow network lets through at a time. */
const THROTTLED_PIECE_BYTES = 512;

/**
 * @typedef {object} TcpProxy
 * @property {number} port  @property {string} address  `127.0.0.1:PORT`
 * @property {() => number} connections  That are open now.
 * @property {() => void} pass  As if it weren't there. What is dead stays dead.
 * @property {() => void} cut  Every connection ends with a reset, and new ones do at once.
 * @property {() => void} stall  Connections stay open, new ones are accepted, and nothing gets through.
 * @property {(direction: 'up' | 'down') => void} halfClose  The sender of that direction seems to have ended; the other direction goes on.
 * @property {(ms: number) => void} delay  Each piece waits so long.
 * @property {(bytesPerSecond: number) => void} throttle
 * @property {() => Promise<void>} close
 */

/**
 * @param {{ to: () => { host?: string, port: number }, port?: number }} options  `to` is asked at each connection.
 * @returns {Promise<TcpProxy>}
 */
export async function startTcpProxy({ to, port = 0 }) {
  let mode = { name: 'pass' };
  let changed = deferred();
  const links = new Set();
  const set = (next) => {
    mode = next;
    changed.resolve();
    changed = deferred();
  };

  /** Waits as the network is now; resolves when a piece of so many bytes may go. */
  const passage = async (bytes) => {
    while (mode.name === 'stall') await changed.promise;
    if (mode.name === 'delay') await sleep(mode.ms);
    if (mode.name === 'throttle') await sleep((bytes / mode.bytesPerSecond) * 1000);
  };

  const pump = async (from, into) => {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        for (let at = 0; at < chunk.length;) {
          const piece = mode.name === 'throttle' ? chunk.subarray(at, at + THROTTLED_PIECE_BYTES) : chunk.subarray(at);
          await passage(piece.length);
          if (into.destroyed || into.writableEnded) return;
          if (!into.write(piece)) await drained(into);
          at += piece.length;
        }
      }
      await passage(0);
      into.end();
    } catch {
      into.resetAndDestroy();
      from.destroy();
    }
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (mode.name === 'cut') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: '127.0.0.1', ...to(), allowHalfOpen: true, noDelay: true });
    const link = { client, upstream };
    links.add(link);
    const gone = () => {
      if (client.destroyed && upstream.destroyed) links.delete(link);
    };
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      socket.on('error', () => other.resetAndDestroy());
      socket.on('close', gone);
    }
    void pump(client, upstream);
    void pump(upstream, client);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const reset = () => {
    for (const { client, upstream } of links) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  };
  const listening = server.address().port;
  return {
    port: listening,
    address: `127.0.0.1:${listening}`,
    connections: () => links.size,
    pass: () => set({ name: 'pass' }),
    cut() {
      set({ name: 'cut' });
      reset();
    },
    stall: () => set({ name: 'stall' }),
    halfClose(direction) {
      for (const { client, upstream } of links) (direction === 'up' ? upstream : client).end();
    },
    delay: (ms) => set({ name: 'delay', ms }),
    throttle: (bytesPerSecond) => set({ name: 'throttle', bytesPerSecond }),
    async close() {
      set({ name: 'cut' });
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

function drained(socket) {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}
