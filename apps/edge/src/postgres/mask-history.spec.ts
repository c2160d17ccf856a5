import type { MaskRule } from '@sallyport/verdict';
import { MaskHistory } from './mask-history.js';

const email: MaskRule = { column: 'public.customers.email', with: 'redact' };
const hashed: MaskRule = { ...email, with: 'hash' };
const card: MaskRule = { column: 'public.customers.card', with: 'redact' };

/** What is said of each verdict, in turn. */
function said(...verdicts: readonly [revision: string, ...masks: MaskRule[]][]): boolean[] {
  const history = new MaskHistory();
  return verdicts.map(([revision, ...masks]) => history.covers({ revision, masks }));
}

describe('P5: masks of another revision', () => {
  it('hold in a session that had them from its first statement', () => {
    expect(said(['a', email], ['b', email], ['c', email])).toEqual([true, true, true]);
    expect(said(['a', card, email], ['b', email], ['c', email])).toEqual([true, true, true]);
  });

  it('do not where something ran without them', () => {
    expect(said(['a'], ['b', email])).toEqual([true, false]);
    expect(said(['a', email], ['b', email, card])).toEqual([true, false]);
    expect(said(['a', hashed], ['b', email])).toEqual([true, false]);
  });

  it('do not come back after a revision without them', () => {
    expect(said(['a', email], ['b'], ['a', email])).toEqual([true, true, false]);
  });

  it('are for each operation as one revision wants them', () => {
    expect(said(['a'], ['a', email], ['a'], ['a', email])).toEqual([true, true, true, true]);
    expect(said(['a', email], ['a'], ['b', email])).toEqual([true, true, false]);
  });
});
