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

  it('P8: a message that was still being judged when an error came is not waited for', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('parse'));
    waiting.failed();
    expect(waiting.push(exchange('bind'))).toBe(false);
    expect(waiting.push(exchange('sync'))).toBe(true);
    expect(waiting.head?.kind).toBe('sync');
    waiting.pop();
    expect(waiting.size).toBe(0);
  });

  it('what is sure to fail makes the rest of its segment ignored before the error is back', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('parse'));
    waiting.push(exchange('sync'));
    waiting.push({ ...exchange('parse'), fails: true });
    expect(waiting.skipping).toBe(true);
    expect(waiting.push(exchange('bind'))).toBe(false);
    // An error of an earlier segment changes nothing here.
    waiting.failed();
    expect(waiting.skipping).toBe(true);
    waiting.push(exchange('sync'));
    expect(waiting.skipping).toBe(false);
  });

  it('an error in a simple query leaves it waiting for its ReadyForQuery', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('query', 'a'));
    expect(waiting.failed()).toEqual([]);
    expect(waiting.head?.op).toBe('a');
  });

  it('nothing may be sent behind a COPY FROM STDIN before it is known whether it reads', () => {
    const waiting = new Exchanges<string>();
    waiting.push({ ...exchange('query', 'copy'), copies: { in: 2, out: 0 } });
    expect(waiting.mayCopyIn).toBe(true);
    expect(waiting.copyInStarted()).toBe(true);
    expect(waiting.mayCopyIn).toBe(false);
    expect(waiting.copyIn).toBe(true);
    waiting.copyEnded();
    expect(waiting.mayCopyIn).toBe(true);
    expect(waiting.copyInStarted()).toBe(true);
    waiting.copyEnded();
    expect(waiting.mayCopyIn).toBe(false);
    expect(waiting.copyInStarted()).toBe(false);
  });

  it('P5: a target that copies without having been asked to is out of turn', () => {
    const waiting = new Exchanges<string>();
    expect(waiting.copyInStarted()).toBe(false);
    waiting.push({ ...exchange('query', 'copy'), copies: { in: 0, out: 1 } });
    expect(waiting.copyInStarted()).toBe(false);
    expect(waiting.copyOutStarted()).toBe(true);
    expect(waiting.copyOutStarted()).toBe(false);
  });

  it('an error in copy-in mode ends the mode, and what else the string would have copied', () => {
    for (const kind of ['query', 'execute'] as const) {
      const waiting = new Exchanges<string>();
      waiting.push({ ...exchange(kind, 'copy'), copies: { in: 2, out: 0 } });
      waiting.copyInStarted();
      waiting.failed();
      expect([waiting.copyIn, waiting.mayCopyIn]).toEqual([false, false]);
    }
  });

  it('numbers grow, and a pop tells the one that was answered', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('bind'));
    expect(waiting.next).toBe(2);
    waiting.push(exchange('sync'));
    expect(waiting.lastSync).toBe(2);
    expect([waiting.pop(), waiting.pop()]).toEqual([1, 2]);
  });

  it('drains what is left at the end', () => {
    const waiting = new Exchanges<string>();
    waiting.push(exchange('query', 'a'));
    waiting.push(exchange('query', 'b'));
    waiting.pop();
    expect(waiting.drain().map(({ op }) => op)).toEqual(['b']);
    expect(waiting.size).toBe(0);
  });
});
