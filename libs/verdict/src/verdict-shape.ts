import { VerdictError } from './errors.js';
import { mergeMasks } from './masks.js';
import type { ApprovalRequirement, MaskRule, MaskWay, Rule, Verdict } from './verdict.js';

/** What the policy decides; revision and key come from whoever asked it. */
export type Judgement = Omit<Verdict, 'revision' | 'cacheKey'>;

const KEYS = ['approval', 'decision', 'hint', 'masks', 'profiles', 'reasons', 'row_limit', 'rules', 'rules_off'];
const WAYS: readonly string[] = ['redact', 'null', 'partial', 'hash'] satisfies MaskWay[];

/**
 * Reads the value of `sallyport/verdict`. Whatever is not exactly as it should be is refused, so that a slip in a policy can't
 * become an allow without its masks.
 * @throws VerdictError POLICY_RESULT_INVALID
 */
export function readJudgement(value: unknown): Judgement {
  const result = record(value, KEYS, 'verdict');
  const decision = result['decision'];
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'hold') throw invalid('decision');
  const rules = list(result['rules'], 'rules').map(readRule);
  if (rules.length === 0) throw invalid('rules');
  const hint = result['hint'];
  const rowLimit = result['row_limit'];
  const approval = result['approval'];
  const rulesOff = result['rules_off'];
  if (typeof rulesOff !== 'boolean') throw invalid('rules_off');
  if ((decision === 'hold') !== (approval !== null)) throw invalid('approval');
  return {
    decision,
    rules,
    reasons: strings(result['reasons'], 'reasons'),
    ...(hint === null ? {} : { hint: string(hint, 'hint') }),
    masks: mergeMasks(list(result['masks'], 'masks').map(readMask)),
    ...(rowLimit === null ? {} : { rowLimit: positive(rowLimit, 'row_limit') }),
    profiles: [...new Set(strings(result['profiles'], 'profiles'))].sort(),
    ...(approval === null ? {} : { approval: readApproval(approval) }),
    rulesOff,
  };
}

function readRule(value: unknown): Rule {
  const { path, title } = record(value, ['path', 'title'], 'rules');
  return { path: string(path, 'rules'), title: string(title, 'rules') };
}

function readMask(value: unknown): MaskRule {
  const { column, with: way } = record(value, ['column', 'with'], 'masks');
  if (typeof way !== 'string' || !WAYS.includes(way)) throw invalid('masks');
  const name = string(column, 'masks');
  if (!/^[^.]+\.[^.]+\.[^.]+$/.test(name)) throw invalid('masks');
  return { column: name, with: way as MaskWay };
}

function readApproval(value: unknown): ApprovalRequirement {
  const { groups, count, window_ms: windowMs } = record(value, ['count', 'groups', 'window_ms'], 'approval');
  const names = strings(groups, 'approval');
  if (names.length === 0) throw invalid('approval');
  return { groups: names, count: positive(count, 'approval'), windowMs: positive(windowMs, 'approval') };
}

function record(value: unknown, keys: readonly string[], where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(where);
  const found = Object.keys(value).sort();
  if (found.length !== keys.length || found.some((key, index) => key !== keys[index])) throw invalid(where);
  return value as Record<string, unknown>;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(where);
  return value;
}

function strings(value: unknown, where: string): readonly string[] {
  return list(value, where).map((item) => string(item, where));
}

function string(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(where);
  return value;
}

function positive(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw invalid(where);
  return value;
}

function invalid(where: string): VerdictError {
  return new VerdictError('POLICY_RESULT_INVALID', `the policy's answer is not a verdict: ${where}`);
}
