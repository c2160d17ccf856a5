import type { PrincipalFacts, ResourceFacts } from './policy-input.js';
import { canonicalJson } from './canonical-json.js';
import { digestOf } from './digest.js';

/** What an approval is bound to. `statement` and `parameters` are as sent: the text, or the bytes where they are binary. */
export interface BoundOperation {
  readonly principal: Pick<PrincipalFacts, 'subject' | 'issuer' | 'actors'>;
  readonly resource: Pick<ResourceFacts, 'name' | 'kind'>;
  readonly statement: string | Uint8Array;
  readonly parameters: readonly (string | Uint8Array | null)[];
  readonly revision: string;
}

/** Hex SHA-256 of the exact operation. A NULL, an empty string and empty bytes are three different parameters. */
export function operationHash({ principal, resource, statement, parameters, revision }: BoundOperation): string {
  return digestOf('sallyport.operation.v1', [
    revision,
    principal.subject,
    principal.issuer,
    canonicalJson(principal.actors),
    resource.kind,
    resource.name,
    ...tagged(statement),
    ...parameters.flatMap(tagged),
  ]);
}

function tagged(value: string | Uint8Array | null): readonly (string | Uint8Array)[] {
  if (value === null) return ['null', ''];
  return typeof value === 'string' ? ['text', value] : ['bytes', value];
}
