import * as fc from 'fast-check';

import { everyNode, field, intField, isNode, nodesField, parseNodeTree, type Tree } from './node-tree.js';

/** As outToken of outfuncs.c writes a string. */
function outToken(text: string): string {
  if (text === '') return '""';
  const start = /^[<"0-9]|^[+-][0-9.]/.test(text) ? '\\' : '';
  return start + text.replace(/[ \n\t(){}\\]/g, (char) => `\\${char}`);
}

function write(tree: Tree): string {
  if (tree === null) return '<>';
  if (typeof tree === 'string') return outToken(tree);
  if (!isNode(tree)) return `(${tree.map(write).join(' ')})`;
  return `{${tree.tag}${[...tree.fields].map(([name, value]) => ` :${name} ${write(value)}`).join('')}}`;
}

const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text !== '<>' && !/[\v\f\r\u00a0]/.test(text));
const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    word,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .tuple(
        fc.constantFrom('VAR', 'QUERY', 'CONST'),
        fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'varno', 'x_1'), tie('tree')), { selector: ([name]) => name }),
      )
      .map(([tag, fields]): Tree => ({ tag, fields: new Map(fields) })),
  ),
})).tree;

describe('parseNodeTree', () => {
  it('P5: reads back what the server would write, whatever names hold', () => {
    fc.assert(fc.property(trees, (tree) => expect(parseNodeTree(write(tree))).toEqual(tree)));
  });

  it('P5: a name that looks like a field stays a value', () => {
    const tree = parseNodeTree('{TARGETENTRY :resname :resorigtbl :resorigtbl 16384 :resjunk false}');
    if (!isNode(tree)) throw new Error('no node');
    expect(field(tree, 'resname')).toBe(':resorigtbl');
    expect(intField(tree, 'resorigtbl')).toBe(16384);
  });

  it('passes over a datum and keeps what follows', () => {
    const [node] = [...everyNode(parseNodeTree('{CONST :constvalue 4 [ 1 0 -128 0 ] :location -1}'))];
    expect(node && intField(node, 'location')).toBe(-1);
  });

  it.each(['', '(', '{VAR', '{VAR x}', '{VAR :a 1 2}', ')', '(a) b', '{:a 1}', '{CONST :v 4 [ 1 0', '{CONST :v 4 [ x ]}', '\\'])(
    'never guesses: %j',
    (text) => {
      try {
        const tree = parseNodeTree(text);
        expect(text).toBe('\\');
        expect(tree).toBe('\\');
      } catch (error) {
        expect(error).toMatchObject({ code: 'MASK_TREE_UNREADABLE' });
      }
    },
  );

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('(', ')', '{', '}', ' :a ', ' VAR ', '<>', ' 1 ', '[', ']', '\\')), (parts) => {
        try {
          parseNodeTree(parts.join(''));
        } catch (error) {
          expect(error).toMatchObject({ code: 'MASK_TREE_UNREADABLE' });
        }
      }),
    );
  });

  it('P9: has a limit of length and of depth', () => {
    const limits = { maxTreeChars: 100, maxTreeDepth: 10 };
    expect(() => parseNodeTree('('.repeat(12) + ')'.repeat(12), limits)).toThrow('too deep');
    expect(() => parseNodeTree('x'.repeat(101), limits)).toThrow('too long');
  });

  it('refuses fields of another shape', () => {
    const tree = parseNodeTree('{VAR :varno x :list (a b)}');
    if (!isNode(tree)) throw new Error('no node');
    expect(() => intField(tree, 'varno')).toThrow('not a number');
    expect(() => intField(tree, 'missing')).toThrow('not a number');
    expect(() => nodesField(tree, 'list')).toThrow('not a list of nodes');
  });
});
