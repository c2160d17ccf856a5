import { Names } from './names.js';

describe('Names', () => {
  it('P2: a name that is prepared again keeps its old meaning until the target says otherwise', () => {
    const names = new Names<string>(10);
    names.propose('s', 'UPDATE', 1);
    names.confirm('s', 'UPDATE');
    names.propose('s', 'SELECT', 3);
    expect(names.of('s')).toEqual(['UPDATE', 'SELECT']);
    names.reject('s', 'SELECT');
    expect(names.of('s')).toEqual(['UPDATE']);
  });

  it('P2: the unnamed one keeps its old meaning too: a Parse behind an error is never looked at', () => {
    const names = new Names<string>(10);
    names.propose('', 'UPDATE', 1);
    names.confirm('', 'UPDATE');
    names.propose('', 'SELECT', 4);
    expect(names.of('', 5)).toEqual(['UPDATE', 'SELECT']);
    names.reject('', 'SELECT');
    expect(names.of('', 5)).toEqual(['UPDATE']);
  });

  it('up to the next Sync only the newest counts: if it failed, what follows is ignored', () => {
    const names = new Names<string>(10);
    names.propose('s', 'one', 1);
    names.propose('s', 'two', 4);
    expect(names.of('s', 3)).toEqual(['two']);
    expect(names.of('s', 4)).toEqual(['one', 'two']);
  });

  it('what SQL prepared has failed without anything being ignored', () => {
    const names = new Names<string>(10);
    names.propose('s', 'one', 1);
    names.propose('s', 'two', 0);
    expect(names.of('s', 0)).toEqual(['one', 'two']);
  });

  it('close and prepare in one pipeline end with the new meaning alone', () => {
    const names = new Names<string>(10);
    names.propose('s', 'one', 1);
    names.confirm('s', 'one');
    const before = names.of('s');
    names.propose('s', 'two', 3);
    names.closed('s', before);
    names.confirm('s', 'two');
    expect(names.of('s')).toEqual(['two']);
  });

  it('DEALLOCATE ALL drops what there was when it was sent', () => {
    const names = new Names<string>(10);
    names.propose('s', 'one', 1);
    const closed = names.closing();
    names.propose('s', 'two', 3);
    names.propose('t', 'three', 4);
    closed();
    expect(names.of('s')).toEqual(['two']);
    expect(names.of('t')).toEqual(['three']);
  });

  it('the end of a transaction drops what was bound before it', () => {
    const dropped: string[] = [];
    const names = new Names<string>(10, (name) => dropped.push(name));
    names.propose('p', 'one', 2);
    names.propose('p', 'two', 7);
    names.propose('q', 'three', 3);
    names.dropBefore(5);
    expect(names.of('p')).toEqual(['two']);
    expect(names.of('q')).toEqual([]);
    expect(dropped).toEqual(['one', 'three']);
  });

  it('each meaning that goes is told once', () => {
    const dropped: string[] = [];
    const names = new Names<string>(10, (name) => dropped.push(name));
    names.propose('p', 'one', 1);
    names.propose('p', 'two', 2);
    names.confirm('p', 'two');
    names.confirm('p', 'two');
    names.closed('p', ['two']);
    names.reject('p', 'two');
    expect(dropped).toEqual(['one', 'two']);
    expect(names.size).toBe(0);
  });

  it('P9: the number of names is bounded, and so are the meanings of one', () => {
    const names = new Names<number>(2);
    expect(names.propose('a', 1, 1)).toBe(true);
    expect(names.propose('b', 1, 2)).toBe(true);
    expect(names.propose('c', 1, 3)).toBe(false);
    expect(names.size).toBe(2);
    let taken = 0;
    while (names.propose('a', ++taken + 1, taken)) expect(taken).toBeLessThan(100);
    expect(names.of('a').length).toBe(8);
  });
});
