import { operationHash, type Verdict } from '@sallyport/verdict';
import type { Request } from '../request.js';
import type { Running, Session } from '../session.js';
import { isQuotable } from './quotable.js';

export interface Intent extends Running {
  /** What an approval is bound to. */
  readonly hash: string;
  /** What people who are asked may read: the statement as sent, or its shape where it could quote a masked value. */
  readonly shown: string;
}

/** Writes `operation.submitted`: what is asked, by what verdict, and what is needed to judge it again. @throws RecordUnavailable */
export function recordIntent(session: Session, request: Request, verdict: Verdict): Intent {
  const { normalized, ...facts } = request.operation;
  const hash = operationHash({
    principal: session.principalFacts,
    resource: session.resource,
    statement: request.statement,
    parameters: request.parameters ?? [],
    revision: verdict.revision,
  });
  const quotable = isQuotable(request.operation, verdict.masks);
  const full = session.record === 'full' && quotable;
  const { text, truncated } = cut(full ? request.statement : normalized, session.services.limits.recordedTextMaxBytes);
  const kept = full ? parametersWithin(request.parameters, session.services.limits.recordedTextMaxBytes) : undefined;
  const operation = session.nextOperation();
  const summary = session.facts();
  const intent = session.recorder.write('operation.submitted', {
    operation,
    kind: request.operation.kind,
    class: request.operation.class,
    text,
    textTruncated: truncated,
    facts,
    hash,
    verdict: {
      decision: verdict.decision,
      revision: verdict.revision,
      rules: verdict.rules,
      reasons: verdict.reasons,
      masks: verdict.masks,
      cacheKey: verdict.cacheKey,
      rulesOff: verdict.rulesOff,
    },
    input: {
      session: summary,
      time: session.policyTime(),
      ...(kept ? { parameters: kept } : {}),
    },
    masked: kept === undefined && (request.parameters?.length ?? 0) > 0,
  });
  return { ...session.submitted(operation, intent), hash, shown: quotable ? request.statement : normalized };
}

/** Cuts at a character's border. */
function cut(text: string, maxBytes: number): { text: string; truncated: boolean } {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return { text, truncated: false };
  const bytes = Buffer.from(text);
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return { text: bytes.toString('utf8', 0, end), truncated: true };
}

/** All of the parameters or none: half of them would be taken for what was run. */
function parametersWithin(parameters: Request['parameters'], maxBytes: number): Request['parameters'] {
  let bytes = 0;
  for (const parameter of parameters ?? []) bytes += parameter === null ? 0 : Buffer.byteLength(parameter);
  return bytes <= maxBytes ? parameters : undefined;
}
