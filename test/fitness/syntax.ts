import { parseSync } from '@swc/core';

/** A node of swc's tree: what the rules need, found by walking, so that a form nobody thought of isn't passed over. */
interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Import {
  readonly specifier: string;
  /** `import('x').T` in a type: dependency-cruiser doesn't see those. */
  readonly inType: boolean;
}

export interface Syntax {
  readonly imports: readonly Import[];
  /** The number of parameters of each class's constructor. */
  readonly constructorParameters: readonly number[];
  /** `it.only`, `describe.skip('…')`, `xit`: calls that switch a test off or the others off. `condition ? it : it.skip` is no such call. */
  readonly switchedOff: readonly string[];
}

const TEST_CALLS = new Set(['it', 'test', 'describe']);
const SWITCHES = new Set(['only', 'skip', 'todo', 'failing']);
const SWITCHED = new Set(['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe']);

/** Reads TypeScript or JavaScript. Throws on a syntax error. */
export function syntaxOf(source: string): Syntax {
  const imports: Import[] = [];
  const constructorParameters: number[] = [];
  const switchedOff: string[] = [];

  const visit = (node: Node): void => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration': {
        const specifier = text(node['source']);
        if (specifier !== undefined) imports.push({ specifier, inType: false });
        break;
      }
      case 'TsImportType': {
        const specifier = text(node['argument']);
        if (specifier !== undefined) imports.push({ specifier, inType: true });
        break;
      }
      case 'TsExternalModuleReference': {
        const specifier = text(node['expression']);
        if (specifier !== undefined) imports.push({ specifier, inType: false });
        break;
      }
      case 'Constructor':
        constructorParameters.push((node['params'] as unknown[]).length);
        break;
      case 'CallExpression':
        visitCall(node);
        break;
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) visit(child);
    }
  };

  const visitCall = (call: Node): void => {
    const args = (call['arguments'] as { expression: Node }[]).map((argument) => argument.expression);
    const callee = call['callee'] as Node;
    const first = text(args[0]);
    const name = nameOf(callee);
    if (first !== undefined && (callee.type === 'Import' || name === 'require' || name === 'import.meta.resolve')) {
      imports.push({ specifier: first, inType: false });
    }
    const [head = '', ...rest] = name.split('.');
    if (SWITCHED.has(head) || (TEST_CALLS.has(head) && rest.some((part) => SWITCHES.has(part)))) switchedOff.push(name);
  };

  // swc's expressions may sit under `expression` or `{ spread, expression }`, which have no type of their own.
  const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

  visit(parseSync(source, { syntax: 'typescript', decorators: true, target: 'es2022' }) as unknown as Node);
  return { imports, constructorParameters, switchedOff };
}

/** `@scope/name/deep` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The value of a string, or of a template with `…` for what it fills in. */
function text(value: unknown): string | undefined {
  const node = value as Node | null | undefined;
  if (node?.type === 'StringLiteral') return node['value'] as string;
  if (node?.type === 'TemplateLiteral') return (node['quasis'] as { raw: string }[]).map((quasi) => quasi.raw).join('…');
  return undefined;
}

/** `it.skip.each` of the callee; what isn't a plain name is ''. */
function nameOf(node: Node): string {
  if (node.type === 'Identifier') return node['value'] as string;
  if (node.type === 'MetaProperty') return 'import.meta';
  if (node.type === 'MemberExpression') return `${nameOf(node['object'] as Node)}.${nameOf(node['property'] as Node)}`;
  return '';
}
