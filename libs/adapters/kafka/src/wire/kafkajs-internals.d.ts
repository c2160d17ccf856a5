/**
 * What is used of kafkajs 2.2.4 below its public API (docs/adr/0018). Its sources are CommonJS without types; the version is pinned,
 * and `link.spec.ts` fails when one of these is not what it says here.
 */
declare module 'kafkajs/src/network/connection.js' {
  interface Answer {
    decode(payload: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<unknown>;
  }
  interface Call {
    readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string; encode(): Promise<unknown> };
    readonly response: Answer;
    readonly requestTimeout?: number;
    readonly logResponseError?: boolean;
  }
  export default class Connection {
    constructor(options: Record<string, unknown>);
    readonly socket?: { destroy(): void };
    readonly requestQueue: {
      readonly pending: readonly unknown[];
      scheduleCheckPendingRequests(): void;
      rejectAll(error: Error): void;
      destroy(): void;
    };
    isConnected(): boolean;
    connect(): Promise<true>;
    authenticate(): Promise<void>;
    disconnect(): Promise<true>;
    setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void;
    setSupportAuthenticationProtocol(supported: boolean): void;
    send(call: Call): Promise<unknown>;
  }
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type { Call } from 'kafkajs/src/network/connection.js';
  interface Definition {
    readonly versions: string[];
    protocol(options: { version: number }): (body: object) => Call;
  }
  const protocol: {
    readonly requests: Readonly<Record<string, Definition>>;
    lookup(
      versions: Record<number, { minVersion: number; maxVersion: number }>,
    ): (apiKey: number, definition: Definition) => (body: object) => Call;
  };
  export default protocol;
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>;
  export default apiKeys;
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    constructor(initialBytes?: number);
    readonly buffer: Buffer;
    writeInt8(value: number): this;
    writeInt16(value: number): this;
    writeInt32(value: number): this;
    writeInt64(value: bigint | number): this;
    writeString(value: string | null): this;
    writeBuffer(value: Buffer): this;
    writeBytes(value: Buffer | null): this;
    writeArray(values: readonly unknown[]): this;
  }
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(buffer: Buffer);
    readInt8(): number;
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string | null;
    readBytes(): Buffer | null;
    readArray<T>(read: (decoder: Decoder) => T): T[];
  }
}

declare module 'kafkajs/src/consumer/assignerProtocol.js' {
  const assignerProtocol: {
    readonly MemberMetadata: {
      encode(metadata: { version: number; topics: string[]; userData?: Buffer }): Buffer;
      decode(bytes: Buffer): { version: number; topics: string[] };
    };
    readonly MemberAssignment: {
      encode(assignment: { version: number; assignment: Record<string, number[]>; userData?: Buffer }): Buffer;
      decode(bytes: Buffer): { version: number; assignment: Record<string, number[]> } | null;
    };
  };
  export default assignerProtocol;
}

declare module 'kafkajs/src/producer/partitioners/default/murmur2.js' {
  export default function murmur2(key: Buffer | string): number;
}
