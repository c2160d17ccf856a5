import type { Principal } from '@sallyport/identity';
import { freezeDeep } from './frozen.js';
import type { ConnectOperation, PolicyInput, PrincipalFacts, ResourceFacts } from './policy-input.js';

export interface ConnectQuestionOptions {
  readonly principal: Principal;
  readonly session: string;
  readonly run: string | null;
  readonly resource: ResourceFacts;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** `input` of the policy when a session opens. Edge and vendor both ask with it, so that both judge the same question. */
export function connectInput({ principal, session, run, resource, nowMs }: ConnectQuestionOptions): PolicyInput {
  return {
    principal: principalFacts(principal),
    session: { id: session, run, operations: 0, rows: 0, bytes: 0, denials: 0 },
    resource,
    operation: connectTo(resource.kind),
    time: policyTime(nowMs),
  };
}

/** What a policy may know of a principal. */
export function principalFacts({ subject, issuer, provider, kind, groups, actors }: Principal): PrincipalFacts {
  return freezeDeep({ subject, issuer, provider, kind, groups, actors });
}

/** `time` of the policy's input: RFC 3339, UTC, whole seconds. */
export function policyTime(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19) + 'Z';
}

function connectTo(kind: string): ConnectOperation {
  const operation = `${kind}.connect`;
  return { kind: 'connect', class: operation, classes: [operation] };
}
