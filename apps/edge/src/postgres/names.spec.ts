import { Names } from './names.js';

describe('Names', () => {
  it('P2: a name that is prepared again keeps its old meaning until the target says otherwise', () => {
    const names = new Names<string>(10);
    names.propose('s', 'UPDATE');
    names.confirm('s', 'UPDATE');
    names.propose('s', 'SELECT');
    expect(names.of('s')).toEqual(['UPDATE', 'SELECT']);
    names.reject('s', 'SELECT');
    expect(names.of('s')).toEqual(['UPDATE']);
  });

  it('close and prepare in one pipeline end with the new meaning alone', () => {
    const names = new Names<string>(10);
    names.propose('s', 'one');
    names.confirm('s', 'one');
    const before = names.of('s');
    names.propose('s', 'two');
    expect(names.of('s')).toEqual(['one', 'two']);
    names.closed('s', before);
    names.confirm('s', 'two');
    expect(names.of('s')).toEqual(['two']);
  });

  it('the unnamed one is replaced at once', () => {
    const names = new Names<string>(10);
    names.propose('', 'one');
    names.propose('', 'two');
    expect(names.of('')).toEqual(['two']);
    names.reject('', 'two');
    expect(names.of('')).toEqual([]);
  });

  it('P9: the number of names is bounded, and so are the meanings of one', () => {
    const names = new Names<number>(2);
    expect(names.propose('a', 1)).toBe(true);
    expect(names.propose('b', 1)).toBe(true);
    expect(names.propose('c', 1)).toBe(false);
    expect(names.size).toBe(2);
    let taken = 0;
    while (names.propose('a', ++taken + 1)) expect(taken).toBeLessThan(100);
    expect(names.of('a').length).toBe(8);
  });
});
