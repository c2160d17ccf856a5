import { Ajv, type ErrorObject } from 'ajv';
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { parseDurationMs } from './duration.js';
import { freezeDeep } from './frozen.js';
import { grantsSchema } from './generated/grants-schema.js';
import { rolesSchema } from './generated/roles-schema.js';
import type { MaskRule } from './verdict.js';

export const DEFAULT_GRANTS_MAX_BYTES = 4 * 1024 * 1024;
/** More problems than this are not listed. */
export const MAX_GRANT_PROBLEMS = 50;
const MAX_WINDOW_MS = 30 * 86_400_000;
const MAX_ALIASES = 100;
const POSTGRES_NODES = 'connect ddl dynamic maintenance privilege read server session unknown unparseable write'.split(' ');

/** One grant as policy reads it; 04-interface says what each key means. */
export interface Grant {
  readonly name: string;
  readonly who: Readonly<Partial<Record<'subjects' | 'groups' | 'kinds' | 'providers' | 'issuers' | 'actors', readonly string[]>>>;
  readonly on: {
    readonly names?: readonly string[];
    readonly kinds?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly allow?: readonly string[];
  readonly hold?: readonly string[];
  readonly approval?: {
    readonly groups: readonly string[];
    readonly count: number;
    readonly windowMs: number;
    readonly workloads?: boolean;
  };
  readonly mask?: readonly MaskRule[];
  readonly tables?: readonly string[];
  readonly limits?: { readonly rows?: number };
  readonly credential?: string;
  readonly rules?: 'off';
  readonly lift?: readonly string[];
}

export type ConsoleRole = 'viewer' | 'approver' | 'operator' | 'auditor';

/** `data` of the policies. */
export interface GrantsDocument {
  readonly grants: readonly Grant[];
  readonly roles: Readonly<Partial<Record<ConsoleRole, Readonly<Partial<Record<'groups' | 'subjects' | 'providers', readonly string[]>>>>>>;
}

/** Where it is wrong, as `grants[0].who`, with line and column from 1, and what was expected. */
export interface GrantsProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type LoadedGrants =
  | { readonly ok: true; readonly document: GrantsDocument; readonly problems: readonly [] }
  | { readonly ok: false; readonly problems: readonly GrantsProblem[] };

export interface LoadGrantsOptions {
  readonly maxBytes?: number;
  /** Paths of the default rules, from the manifest: then lifting one that isn't there is a problem. */
  readonly rules?: readonly string[];
}

const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile({
  type: 'object',
  required: ['grants'],
  properties: { grants: grantsSchema, roles: rolesSchema },
  additionalProperties: false,
});

type Path = readonly (string | number)[];

/** Reads grants.yaml (YAML 1.2). A document with any problem is not loaded; the document that is comes frozen. Never throws. */
export function loadGrants(text: string, { maxBytes = DEFAULT_GRANTS_MAX_BYTES, rules }: LoadGrantsOptions = {}): LoadedGrants {
  if (Buffer.byteLength(text) > maxBytes) return refused([{ path: '', line: 1, column: 1, message: `larger than ${maxBytes} bytes` }]);
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2', prettyErrors: false, logLevel: 'silent' });
  const found: GrantsProblem[] = yaml.errors.map(({ message, pos: [offset] }) => ({
    path: '',
    ...position(lines, offset),
    message: `not YAML: ${message}`,
  }));
  if (found.length > 0) return refused(found);

  let value: unknown;
  try {
    value = yaml.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return refused([{ path: '', line: 1, column: 1, message: `more than ${MAX_ALIASES} uses of aliases` }]);
  }
  const tell = (path: Path, message: string): void => {
    found.push({ path: pathText(path), ...position(lines, offsetOf(yaml, path)), message });
  };
  if (!validate(value)) {
    for (const error of (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if')) tell(...explain(error));
    return refused(found);
  }
  const read = value as { grants: readonly WrittenGrant[]; roles?: GrantsDocument['roles'] };
  checkBeyondSchema(read.grants, rules, tell);
  if (found.length > 0) return refused(found);
  return { ok: true, document: freezeDeep({ grants: read.grants.map(settleGrant), roles: read.roles ?? {} }), problems: [] };
}

function refused(problems: readonly GrantsProblem[]): LoadedGrants {
  return { ok: false, problems: problems.slice(0, MAX_GRANT_PROBLEMS) };
}

type WrittenApproval = Omit<NonNullable<Grant['approval']>, 'count' | 'windowMs'> & { count?: number; window?: string; windowMs?: number };
type WrittenMask = Omit<MaskRule, 'with'> & { readonly with: MaskRule['with'] | null };
type WrittenGrant = Omit<Grant, 'approval' | 'mask'> & { readonly approval?: WrittenApproval; readonly mask?: readonly WrittenMask[] };

function checkBeyondSchema(
  grants: readonly WrittenGrant[],
  rules: readonly string[] | undefined,
  tell: (path: Path, message: string) => void,
): void {
  const names = new Set<string>();
  grants.forEach(({ name, approval, allow = [], hold = [], lift = [] }, index) => {
    const here = ['grants', index];
    if (names.has(name))
      tell([...here, 'name'], `another grant is named ${JSON.stringify(name)}: names must differ, they are what a verdict shows`);
    names.add(name);
    if (approval !== undefined) checkWindow(approval, [...here, 'approval'], tell);
    for (const [key, nodes] of [
      ['allow', allow],
      ['hold', hold],
    ] as const) {
      nodes.forEach((node, at) => {
        const [kind, branch] = node.split('.');
        if (kind !== 'postgres' || branch === undefined || POSTGRES_NODES.includes(branch)) return;
        tell([...here, key, at], `no class is called ${node}; below postgres there are ${POSTGRES_NODES.join(', ')}`);
      });
    }
    lift.forEach((rule, at) => {
      if (rules !== undefined && !rules.includes(rule)) tell([...here, 'lift', at], `no default rule is called ${rule}`);
    });
  });
}

function checkWindow(approval: WrittenApproval, path: Path, tell: (path: Path, message: string) => void): void {
  const { window, windowMs } = approval;
  if ((window === undefined) === (windowMs === undefined)) tell(path, 'say how long an approval is good for, once: window, such as 10m');
  if (window === undefined) return;
  const durationMs = parseDurationMs(window);
  if (durationMs === null) tell([...path, 'window'], 'expected a duration such as 10m, 1h30m or 90s');
  else if (durationMs > MAX_WINDOW_MS) tell([...path, 'window'], 'expected at most 30d');
}

function settleGrant({ approval, mask, ...grant }: WrittenGrant): Grant {
  return {
    ...grant,
    // YAML reads `with: null` as its own null.
    ...(mask === undefined ? {} : { mask: mask.map(({ column, with: way }) => ({ column, with: way ?? 'null' })) }),
    ...(approval === undefined ? {} : { approval: settleApproval(approval) }),
  };
}

function settleApproval({ window, windowMs, count = 1, ...rest }: WrittenApproval): NonNullable<Grant['approval']> {
  return { ...rest, count, windowMs: windowMs ?? parseDurationMs(window ?? '') ?? 0 };
}

/** A schema error in words, and the place it is about. */
function explain({ instancePath, keyword, params, message, parentSchema }: ErrorObject): [Path, string] {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
      return [[...path, String(params['additionalProperty'])], `unknown key; expected one of ${known.join(', ')}`];
    }
    case 'required':
      return [path, `${String(params['missingProperty'])} is missing`];
    case 'dependencies':
      return [path, `${String(params['property'])} needs ${String(params['missingProperty'])} beside it`];
    case 'enum':
      return [path, `expected ${[...new Set((params['allowedValues'] as readonly unknown[]).map(String))].join(' or ')}`];
    case 'type':
      return [path, `expected ${String(params['type'])}`];
    case 'minItems':
    case 'minProperties':
      return [path, 'empty; leave it out or say something'];
    case 'pattern':
      return [path, PATTERN_HINTS[path.findLast((key) => typeof key === 'string') ?? ''] ?? 'wildcards are * and ?; no backslash'];
    default:
      return [path, message ?? 'not as expected'];
  }
}

const PATTERN_HINTS: Readonly<Record<string, string>> = {
  allow: 'expected a node of the class tree, such as postgres.read, or "*"; a node covers what is below it',
  hold: 'expected a node of the class tree, such as postgres.write, or "*"; a node covers what is below it',
  column: 'expected schema.table.column',
  tables: 'expected schema.table; both may have wildcards',
  lift: 'expected the path of a default rule, such as sallyport.rules.postgres.write_without_where',
};

function pathText(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`)).join('');
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The key when the path ends at one that is unknown, else the value, else the nearest thing above that is there. */
function offsetOf(yaml: Document, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = yaml.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last));
      const node = length === path.length && isNode(pair?.value) ? pair.value : pair?.key;
      const key = pair !== undefined && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      if (pair !== undefined) return (isScalar(node) ? node.range?.[0] : key) ?? key ?? 0;
    }
    const node = yaml.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
