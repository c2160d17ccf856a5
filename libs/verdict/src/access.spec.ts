import { mayApprove, mayInConsole } from './access.js';
import type { Engine } from './engine.port.js';
import type { PrincipalFacts } from './policy-input.js';

const dana: PrincipalFacts = { subject: 'dana', issuer: 'i', provider: 'p', kind: 'person', groups: ['dba'], actors: [] };
const question = {
  approver: dana,
  hold: { requester: { ...dana, subject: 'crew' }, resource: { name: 'shop', kind: 'postgres', labels: {} }, groups: ['dba'], given: [] },
};
const engine = (answer: () => unknown): Engine => ({ evaluate: answer });
const rules = [{ path: 'x', title: 'X' }];

describe('mayApprove and mayInConsole', () => {
  it('pass on what policy says', () => {
    expect(
      mayApprove(
        engine(() => ({ allow: true, rules: [], reasons: [] })),
        question,
      ),
    ).toEqual({ allow: true, rules: [], reasons: [] });
    expect(
      mayApprove(
        engine(() => ({ allow: false, rules, reasons: ['no'] })),
        question,
      ),
    ).toEqual({ allow: false, rules, reasons: ['no'] });
    expect(
      mayInConsole(
        engine(() => ({ allow: true, scope: 'own', rules, reasons: [] })),
        { principal: dana, action: 'sessions.read' },
      ),
    ).toEqual({
      allow: true,
      scope: 'own',
      rules,
      reasons: [],
    });
  });

  it('tell policy about a principal what policy reads, and no more', () => {
    let asked: unknown;
    const noting: Engine = {
      evaluate(_, input) {
        asked = input;
        return undefined;
      },
    };
    mayInConsole(noting, { principal: { ...dana, tokenId: 'secret' } as PrincipalFacts, action: 'policy.read' });
    expect(asked).toEqual({ principal: dana, action: 'policy.read' });
  });

  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['true', () => true],
    ['an answer without rules', () => ({ allow: true, scope: 'all' })],
    ['an allow in words', () => ({ allow: 'true', scope: 'all', rules: [], reasons: [] })],
    [
      'a failure',
      () => {
        throw new Error('boom');
      },
    ],
  ])('P2: %s is a no', (_, answer) => {
    expect(mayApprove(engine(answer), question).allow).toBe(false);
    expect(mayInConsole(engine(answer), { principal: dana, action: 'sessions.read' })).toMatchObject({ allow: false, scope: 'none' });
  });

  it('P2: an allow without scope is a no', () => {
    expect(
      mayInConsole(
        engine(() => ({ allow: true, rules: [], reasons: [] })),
        { principal: dana, action: 'sessions.read' },
      ),
    ).toMatchObject({
      allow: false,
      scope: 'none',
    });
  });
});
