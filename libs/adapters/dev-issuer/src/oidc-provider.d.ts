/** What we use of oidc-provider, which ships no types of its own. */
declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface ResourceServerInfo {
    readonly scope: string;
    readonly audience: string;
    readonly accessTokenTTL: number;
    readonly accessTokenFormat: 'jwt';
    readonly jwt: { readonly sign: { readonly alg: string } };
  }

  export interface Client {
    readonly clientId: string;
    readonly clientName?: string;
  }

  export interface Token {
    readonly accountId?: string;
    readonly clientId: string;
    resourceServer: unknown;
    save(): Promise<string>;
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Interaction {
    readonly uid: string;
    readonly prompt: { readonly name: string };
    readonly params: Readonly<Record<string, unknown>>;
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    silent: boolean;
    readonly Client: { find(id: string): Promise<Client | undefined> };
    readonly Grant: new (payload: { accountId: string; clientId: string }) => Grant;
    readonly AccessToken: new (payload: {
      accountId: string;
      client: Client;
      grantId: string;
      gty: string;
      scope: string;
      expiresIn: number;
    }) => Token;
    readonly ClientCredentials: new (payload: { client: Client; expiresIn: number }) => Token;
    readonly ResourceServer: new (identifier: string, info: ResourceServerInfo) => unknown;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object, options?: object): Promise<void>;
    on(event: string, listener: (...values: never[]) => void): this;
  }
}

declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  /** A store of its own for each call, bounded to a thousand entries. */
  export function createMemoryAdapter(clockTolerance?: number): (model: string) => unknown;
}

declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  export function base(): { remove(name: string): void };
}
