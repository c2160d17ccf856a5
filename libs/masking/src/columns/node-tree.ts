import { MaskingError } from './errors.js';

/**
 * The text that PostgreSQL keeps an analysed query in (type `pg_node_tree`, written by outfuncs.c, read by read.c and
 * readfuncs.c). Names are resolved in it: a `VAR` says which range table entry and which attribute. The shape is
 * `{TAG :field value …}`, `(list)`, `(i 1 2)`, `(b 1 2)`, `<>` for null, and a datum as `4 [ 1 0 0 0 ]`.
 */
export type Tree = TreeNode | readonly Tree[] | string | null;

export interface TreeNode {
  readonly tag: string;
  readonly fields: ReadonlyMap<string, Tree>;
}

export interface NodeTreeLimits {
  readonly maxTreeChars: number;
  readonly maxTreeDepth: number;
}

export const NODE_TREE_LIMITS: NodeTreeLimits = { maxTreeChars: 16 * 1024 * 1024, maxTreeDepth: 500 };

/** @throws MaskingError MASK_TREE_UNREADABLE for text that isn't a node tree or is past the limits. */
export function parseNodeTree(text: string, limits: NodeTreeLimits = NODE_TREE_LIMITS): Tree {
  if (text.length > limits.maxTreeChars) throw unreadable('it is too long');
  const reader = new Reader(text, limits.maxTreeDepth);
  const tree = reader.item(0);
  if (reader.next() !== null) throw unreadable('something follows its end');
  return tree;
}

export function isNode(tree: Tree | undefined): tree is TreeNode {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}

export function isList(tree: Tree | undefined): tree is readonly Tree[] {
  return Array.isArray(tree);
}

export function field(node: TreeNode, name: string): Tree {
  return node.fields.get(name) ?? null;
}

/** A number field. Missing or not a number: unreadable, because a wrong guess could unmask. */
export function intField(node: TreeNode, name: string): number {
  const value = node.fields.get(name);
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) throw unreadable(`${node.tag}.${name} is not a number`);
  return Number(value);
}

/** Nodes of a list field; `<>` is the empty list. */
export function nodesField(node: TreeNode, name: string): readonly TreeNode[] {
  const value = node.fields.get(name);
  if (value === undefined || value === null) return [];
  if (!isList(value) || !value.every(isNode)) throw unreadable(`${node.tag}.${name} is not a list of nodes`);
  return value;
}

/** Every node below, itself included, in the order of the text. */
export function* everyNode(tree: Tree): Generator<TreeNode> {
  if (isNode(tree)) {
    yield tree;
    for (const value of tree.fields.values()) yield* everyNode(value);
  } else if (isList(tree)) {
    for (const item of tree) yield* everyNode(item);
  }
}

function unreadable(why: string): MaskingError {
  return new MaskingError('MASK_TREE_UNREADABLE', `the analysed statement can't be read: ${why}`);
}

class Reader {
  private at = 0;
  private pushed: string | undefined;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
  ) {}

  /** As pg_strtok: blanks separate, brackets stand alone, a backslash protects the next character. */
  next(): string | null {
    if (this.pushed !== undefined) {
      const token = this.pushed;
      this.pushed = undefined;
      return token;
    }
    const { text } = this;
    let at = this.at;
    while (at < text.length && isBlank(text.charCodeAt(at))) at++;
    if (at >= text.length) {
      this.at = at;
      return null;
    }
    const start = at;
    if (isBracket(text.charCodeAt(at))) {
      this.at = at + 1;
      return text.charAt(at);
    }
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH) at += 2;
      else if (isBlank(code) || isBracket(code)) break;
      else at++;
    }
    this.at = Math.min(at, text.length);
    return text.slice(start, this.at);
  }

  item(depth: number): Tree {
    if (depth > this.maxDepth) throw unreadable('it is too deep');
    const token = this.next();
    if (token === null || token === ')' || token === '}') throw unreadable('it ends early');
    if (token === '{') return this.node(depth);
    if (token === '(') return this.list(depth);
    return token === '<>' ? null : unescape(token);
  }

  private node(depth: number): TreeNode {
    const tag = this.next();
    if (tag === null || !/^[A-Z_0-9]+$/.test(tag)) throw unreadable('a node has no tag');
    const fields = new Map<string, Tree>();
    for (;;) {
      const name = this.next();
      if (name === '}') return { tag, fields };
      if (name === null || !name.startsWith(':')) throw unreadable(`${tag} has a value without a field`);
      fields.set(name.slice(1), this.item(depth + 1));
      this.skipDatum();
    }
  }

  private list(depth: number): readonly Tree[] {
    const items: Tree[] = [];
    for (;;) {
      const token = this.next();
      if (token === ')') return items;
      if (token === null) throw unreadable('a list has no end');
      this.pushed = token;
      items.push(this.item(depth + 1));
    }
  }

  /** A datum is the one value of several words: its length, then its bytes in square brackets. They are of no interest here. */
  private skipDatum(): void {
    const token = this.next();
    if (token !== '[') {
      if (token !== null) this.pushed = token;
      return;
    }
    for (;;) {
      const byte = this.next();
      if (byte === ']') return;
      if (byte === null || !/^-?\d+$/.test(byte)) throw unreadable('a datum has no end');
    }
  }
}

const BACKSLASH = 0x5c;

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09;
}

function isBracket(code: number): boolean {
  return code === 0x28 || code === 0x29 || code === 0x7b || code === 0x7d;
}

function unescape(token: string): string {
  return token.includes('\\') ? token.replace(/\\([\s\S])/g, '$1') : token;
}
