import * as fc from 'fast-check';
import { canonicalJson, MAX_JSON_DEPTH } from './canonical-json.js';

describe('canonicalJson', () => {
  it('has one spelling whatever the order of the keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
    expect(canonicalJson({ a: true, b: [1, { c: 'x', d: null }] })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  });

  it('reads back as the same value, and is the same for what reads back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('leaves out what is undefined, and tells it from null', () => {
    expect(canonicalJson({ a: undefined, b: null })).toBe('{"b":null}');
  });

  it.each([
    ['a function', () => 1],
    ['a number that JSON lacks', Number.NaN],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['undefined in a list', [undefined]],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson({ value: [value] })).toThrow(expect.objectContaining({ code: 'POLICY_INPUT_INVALID' }));
  });

  it('refuses what is deeper than the limit, and what contains itself', () => {
    let deep: unknown = 1;
    for (let level = 0; level <= MAX_JSON_DEPTH; level += 1) deep = [deep];
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(() => canonicalJson(deep)).toThrow(expect.objectContaining({ code: 'POLICY_INPUT_INVALID' }));
    expect(() => canonicalJson(loop)).toThrow(expect.objectContaining({ code: 'POLICY_INPUT_INVALID' }));
  });
});
