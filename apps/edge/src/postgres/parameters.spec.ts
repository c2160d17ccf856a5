import { parametersOf } from './parameters.js';

describe('parametersOf', () => {
  const values = [Buffer.from('a'), null, Buffer.from([0xff]), Buffer.alloc(0)];

  it.each([
    [[], ['a', null, '\\xff', '']],
    [[1], ['\\x61', null, '\\xff', '\\x']],
    [[0], ['a', null, '\\xff', '']],
    [
      [1, 0, 0, 0],
      ['\\x61', null, '\\xff', ''],
    ],
  ])('formats %j', (parameterFormats, expected) => {
    expect(parametersOf({ parameters: values, parameterFormats })).toEqual(expected);
  });

  it('S5: bytes that are no text are told apart', () => {
    const [one, two] = [0xfe, 0xff].map((byte) => parametersOf({ parameters: [Buffer.of(byte)], parameterFormats: [] }));
    expect(one).not.toEqual(two);
  });
});
