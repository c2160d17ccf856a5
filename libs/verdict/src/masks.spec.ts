import * as fc from 'fast-check';
import { mergeMasks } from './masks.js';
import type { MaskWay } from './verdict.js';

describe('mergeMasks', () => {
  it.each<[MaskWay, MaskWay, MaskWay]>([
    ['partial', 'hash', 'hash'],
    ['partial', 'redact', 'redact'],
    ['hash', 'redact', 'redact'],
    ['hash', 'null', 'null'],
    ['redact', 'null', 'null'],
  ])('P5: of %s and %s takes %s, in either order', (one, other, strictest) => {
    const column = 'public.customers.email';
    const masks = [
      { column, with: one },
      { column, with: other },
    ];
    expect(mergeMasks(masks)).toEqual([{ column, with: strictest }]);
    expect(mergeMasks(masks.toReversed())).toEqual([{ column, with: strictest }]);
  });

  it('is the same for any order, loses no column, and is sorted', () => {
    const mask = fc.record({
      column: fc.constantFrom('a.b.c', 'a.b.d', 'z.y.x', 'A.b.c'),
      with: fc.constantFrom<MaskWay>('redact', 'null', 'partial', 'hash'),
    });
    fc.assert(
      fc.property(fc.array(mask, { maxLength: 12 }), (masks) => {
        const merged = mergeMasks(masks);
        expect(mergeMasks(masks.toReversed())).toEqual(merged);
        expect(merged.map(({ column }) => column)).toEqual([...new Set(masks.map(({ column }) => column))].sort());
      }),
    );
  });
});
