import * as fc from 'fast-check';
import { readJsonObject } from './json-object.js';

const read = (text: string) => readJsonObject(Buffer.from(text));

describe('readJsonObject', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (object) => {
        const text = JSON.stringify(object);
        expect(read(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses a name that comes twice, wherever it stands and however it is written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 }), fc.nat(), (object, pick) => {
        const names = Object.keys(object);
        const name = names[pick % names.length] ?? '';
        const escaped = name.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
        expect(read(JSON.stringify(object).replace('{', () => `{"${escaped}":1,`))).toBeUndefined();
      }),
    );
    expect(read('{"a":[{"b":1,"b":2}]}')).toBeUndefined();
    expect(read('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toBeDefined();
    expect(read('{"a":"\\"a\\":1,","b":"{\\"a\\"}"}')).toBeDefined();
  });

  it('refuses what is no object, what is no UTF-8 and what is too deep', () => {
    for (const text of ['', 'null', '[]', '"a"', '7', '{', '{}x', '\ufeff{}']) expect(read(text)).toBeUndefined();
    expect(readJsonObject(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeUndefined();
    expect(read(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`)).toBeDefined();
    expect(read(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)).toBeUndefined();
  });

  it('takes __proto__ for a name like any other', () => {
    const value = read('{"__proto__":{"sub":"sam"}}');
    expect(value?.['sub']).toBeUndefined();
    expect(Object.hasOwn(value ?? {}, '__proto__')).toBe(true);
  });
});
