import { type Exchange, Exchanges } from './exchanges.js';

const exchange = (kind: Exchange<string>['kind'], op?: string): Exchange<string> => (op === undefined ? { kind } : { kind, op });

describe('Exchanges', () => {
  it('answers come to the oldest exchange', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('query', 'a'));
    waiting.push(exchange('query', 'b'));
    expect(waiting.head?.op).toBe('a');
    waiting.pop();
    expect(waiting.head?.op).toBe('b');
    waiting.pop();
    expect(waiting.head).toBeUndefined();
    expect(waiting.size).toBe(0);
  });

  it('an error in the extended protocol ends everything before the next Sync, and not the Sync', () => {
    const waiting = new Exchanges<string>();
    for (const kind of ['parse', 'bind', 'execute', 'sync', 'parse', 'sync'] as const) waiting.push(exchange(kind));
    expect(waiting.failed().map(({ kind }) => kind)).toEqual(['parse', 'bind', 'execute']);
    expect(waiting.skipping).toBe(false);
    expect(waiting.head?.kind).toBe('sync');
    waiting.pop();
    expect(waiting.head?.kind).toBe('parse');
  });

  it('an error whose Sync has not been sent yet leaves the connection skipping until it is', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('parse'));
    waiting.push(exchange('bind'));
    waiting.failed();
    expect(waiting.skipping).toBe(true);
    expect(waiting.size).toBe(0);
    waiting.push(exchange('sync'));
    expect(waiting.skipping).toBe(false);
    expect(waiting.head?.kind).toBe('sync');
  });

  it('an error in a simple query leaves it waiting for its ReadyForQuery', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('query', 'a'));
    expect(waiting.failed()).toEqual([]);
    expect(waiting.head?.op).toBe('a');
  });

  it('a Sync that was sent together with a COPY FROM STDIN is never answered', () => {
    const waiting = new Exchanges<string>();
    for (const kind of ['execute', 'sync'] as const) waiting.push(exchange(kind));
    waiting.copyInStarted();
    expect(waiting.size).toBe(1);
    waiting.push(exchange('sync'));
    expect(waiting.size).toBe(1);
    waiting.copyEnded();
    waiting.push(exchange('sync'));
    expect(waiting.size).toBe(2);
  });

  it('a Sync behind copy data that was sent without waiting is answered', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('execute'));
    waiting.push(exchange('sync'));
    waiting.copyEnded();
    waiting.push(exchange('sync'));
    waiting.copyInStarted();
    waiting.pop();
    expect(waiting.head?.kind).toBe('sync');
    waiting.pop();
    expect(waiting.head).toBeUndefined();
  });

  it('an error in copy-in mode ends the mode', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('execute'));
    waiting.copyInStarted();
    expect(waiting.failed().map(({ kind }) => kind)).toEqual(['execute']);
    waiting.push(exchange('sync'));
    expect(waiting.head?.kind).toBe('sync');
  });

  it('drains what is left at the end', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('query', 'a'));
    waiting.push(exchange('query', 'b'));
    waiting.copyEnded();
    waiting.pop();
    expect(waiting.drain().map(({ op }) => op)).toEqual(['b']);
    expect(waiting.size).toBe(0);
  });
});
