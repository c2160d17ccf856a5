import * as fc from 'fast-check';
import { parseBytes, parseDurationMs } from './units.js';

describe('units', () => {
  it('reads sizes', () => {
    expect(['1B', '64KiB', '16MiB', '1GiB', '2TiB'].map(parseBytes)).toEqual([1, 65_536, 16_777_216, 2 ** 30, 2 ** 41]);
  });

  it('reads durations', () => {
    expect(['500ms', '10s', '15m', '1h', '1d', '0s'].map(parseDurationMs)).toEqual([500, 10_000, 900_000, 3_600_000, 86_400_000, 0]);
  });

  it('reads nothing else', () => {
    for (const text of ['', '1', '1KB', '1 MiB', '-1KiB', '1.5MiB', '0x1B', '1kib', '999999999999999TiB', ' 1B'])
      expect(parseBytes(text)).toBeNaN();
    for (const text of ['', '1', '1S', '1 s', '-1s', '1.5h', '1h30m', '1w', '1M']) expect(parseDurationMs(text)).toBeNaN();
    fc.assert(fc.property(fc.string(), (text) => Number.isNaN(parseBytes(text)) || /^\d+[A-Za-z]+$/.test(text)));
  });
});
