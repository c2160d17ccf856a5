import * as fc from 'fast-check';
import { freezeDeep } from './frozen.js';
import { projectionOnto } from './projection.js';

describe('projectionOnto', () => {
  it('keeps the paths and nothing else', () => {
    const projection = projectionOnto(['/a/b', '/c', '/x/y~1z']);
    expect(projection.project({ a: { b: 1, other: 2 }, c: [{ d: 3 }], e: 4, x: { 'y/z': 5 } })).toEqual({
      a: { b: 1 },
      c: [{ d: 3 }],
      x: { 'y/z': 5 },
    });
    expect(projection.project({ a: 'no object' })).toEqual({});
  });

  it('keeps everything when the policy reads the input as a whole', () => {
    expect(projectionOnto(['']).project({ a: 1 })).toEqual({ a: 1 });
    expect(projectionOnto(['']).keyOf({ a: 1 })).not.toBe(projectionOnto(['']).keyOf({ a: 2 }));
  });

  it('never gives two different projections one key', () => {
    const projection = projectionOnto(['/a', '/b/c', '/d']);
    const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('-', '#', '\n-', '-\n"', null, undefined, '', 'x'.repeat(200)));
    const input = fc.record({ a: value, b: fc.oneof(value, fc.record({ c: value })), d: value, rest: value });
    fc.assert(
      fc.property(input, input, (one, other) => {
        const same = JSON.stringify(projection.project(one)) === JSON.stringify(projection.project(other));
        if (projection.keyOf(one) === projection.keyOf(other))
          expect(JSON.parse(JSON.stringify(projection.project(one)))).toEqual(JSON.parse(JSON.stringify(projection.project(other))));
        if (same) expect(projection.keyOf(one)).toBe(projection.keyOf(other));
      }),
      { numRuns: 500 },
    );
  });

  it('tells null, absence and the empty string apart', () => {
    const projection = projectionOnto(['/a']);
    expect(new Set([{}, { a: null }, { a: '' }, { a: [] }, { a: {} }, { a: '-' }].map((input) => projection.keyOf(input))).size).toBe(6);
  });

  it('sees a change in what is not frozen', () => {
    const projection = projectionOnto(['/principal']);
    const principal = { groups: ['a'] };
    const before = projection.keyOf({ principal });
    principal.groups.push('b');
    expect(projection.keyOf({ principal })).not.toBe(before);
  });

  it('sees a change below what is frozen at the top only', () => {
    const projection = projectionOnto(['/principal']);
    const principal = Object.freeze({ groups: ['a'] });
    const before = projection.keyOf({ principal });
    principal.groups.push('b');
    expect(projection.keyOf({ principal })).not.toBe(before);
  });

  it('walks what is frozen once', () => {
    let walks = 0;
    const principal = freezeDeep({ subject: 'crew' });
    const counted = new Proxy(principal, {
      ownKeys(target) {
        walks += 1;
        return Reflect.ownKeys(target);
      },
    });
    const projection = projectionOnto(['/principal']);
    const first = projection.keyOf({ principal: counted });
    const walked = walks;
    expect(walked).toBeGreaterThan(0);
    expect(projection.keyOf({ principal: counted, other: 1 })).toBe(first);
    expect(walks).toBe(walked);
  });

  it('does not follow what an input inherits', () => {
    expect(projectionOnto(['/constructor', '/a/toString']).project({ a: {} })).toEqual({});
  });

  it.each(['a', '/__proto__/x', 'a/b'])('refuses the path %s', (pointer) => {
    expect(() => projectionOnto([pointer])).toThrow(expect.objectContaining({ code: 'POLICY_PATH_INVALID' }));
  });
});
