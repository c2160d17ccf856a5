import type { Facts } from './facts.js';
import type { CteFrame, Scope } from './scope.js';
import { children, listOf, tagged, type Tagged } from './tree.js';

/** Where a node is seen from. */
export interface Context {
  readonly facts: Facts;
  readonly scope: Scope | null;
  readonly ctes: CteFrame | null;
  /** What a table is that stands in a utility statement outside any query. */
  readonly tableAccess: 'read' | 'write';
  /** Walks a node and all below it. */
  readonly visit: (node: Tagged, context: Context) => void;
}

export function walkChildren(node: Tagged, context: Context): void {
  for (const child of children(node)) context.visit(child, context);
}

/** A field that holds a tagged node, or lists of them. */
export function walkField(value: unknown, context: Context): void {
  if (Array.isArray(value)) {
    for (const item of listOf(value)) walkField(item, context);
    return;
  }
  const node = tagged(value);
  if (node !== undefined) context.visit(node, context);
}
