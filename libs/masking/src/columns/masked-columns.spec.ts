import { indexMasks, parseColumnName } from './masked-columns.js';

describe('parseColumnName', () => {
  it.each([
    ['public.customers.email', { schema: 'public', table: 'customers', column: 'email' }],
    ['public."odd.name"."say ""hi"""', { schema: 'public', table: 'odd.name', column: 'say "hi"' }],
  ])('reads %s', (text, name) => expect(parseColumnName(text)).toEqual(name));

  it.each(['', 'email', 'a.b', 'a.b.c.d', 'a..c', '.b.c', 'a.b.', 'a.b."c', 'a.b.c"d"'])('does not read %j', (text) => {
    expect(parseColumnName(text)).toBeUndefined();
  });
});

describe('indexMasks', () => {
  const place = (table: number, attribute: number, derived = false) => ({ table, attribute, schema: 'public', name: `t${table}`, derived });

  it('P5: when two rules meet on a column the stricter one wins, in either order', () => {
    const found = { found: true as const, places: [place(1, 2)], dependents: [] };
    for (const ways of [['partial', 'redact'] as const, ['redact', 'partial'] as const]) {
      const index = indexMasks(
        ways.map((way) => ({ column: 'public.t1.x', with: way })),
        [found, found],
      );
      expect(index.columns.get('1:2')?.way).toBe('redact');
    }
  });

  it('redacts what is computed from a masked column', () => {
    const found = { found: true as const, places: [place(1, 2), place(1, 3, true)], dependents: ['v'] };
    const index = indexMasks([{ column: 'public.t1.x', with: 'partial' }], [found]);
    expect([...index.columns.values()].map((masked) => masked.way)).toEqual(['partial', 'redact']);
    expect([...index.names].sort()).toEqual(['t1', 'v']);
  });

  it('keeps rules that name nothing', () => {
    const rules = [
      { column: 'x', with: 'redact' as const },
      { column: 'a.b.c', with: 'redact' as const },
    ];
    expect(indexMasks(rules, [undefined, { found: false, missing: 'table' }]).dangling).toEqual([
      { column: 'x', missing: 'name' },
      { column: 'a.b.c', missing: 'table' },
    ]);
  });
});
