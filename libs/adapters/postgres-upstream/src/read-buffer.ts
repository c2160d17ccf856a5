import type { OnReadOpts, Socket } from 'node:net';

/**
 * Reading into one buffer instead of a new one a chunk (`onread` of net.connect), which saves a relay about a tenth of its
 * time. Node has it for a socket's whole life or not at all, so while we sign in a copy goes to 'data' listeners, and `handOver`
 * turns to the caller's callback.
 */
export class ReadBuffer {
  #handedOver = false;
  #socket: Socket | undefined;

  constructor(private readonly onread: OnReadOpts) {}

  /** For net.connect. */
  get options(): OnReadOpts {
    return { buffer: this.onread.buffer, callback: (bytes, buffer) => this.#read(bytes, buffer) };
  }

  attach(socket: Socket): void {
    this.#socket = socket;
  }

  handOver(): void {
    this.#handedOver = true;
  }

  #read(bytes: number, buffer: Uint8Array): boolean {
    if (this.#handedOver) return this.onread.callback(bytes, buffer);
    this.#socket?.emit('data', Buffer.from(buffer.subarray(0, bytes)));
    return true;
  }
}
