import type { Engine } from './engine.port.js';
import { freezeDeep } from './frozen.js';
import type { PolicyInput } from './policy-input.js';
import { verdicts, type VerdictsOptions } from './verdicts.js';

const judgement = {
  decision: 'allow',
  rules: [{ path: 'sallyport.grant', title: 'reads' }],
  reasons: [],
  hint: null,
  masks: [
    { column: 'public.customers.email', with: 'partial' },
    { column: 'public.customers.email', with: 'redact' },
  ],
  row_limit: 10,
  profiles: ['writer', 'reader'],
  approval: null,
  rules_off: false,
};
const approval = { groups: ['dba'], count: 1, window_ms: 1000 };

const input = (subject = 'crew', time = '2026-01-01T00:00:00Z'): PolicyInput => ({
  principal: { subject, issuer: 'i', provider: 'p', kind: 'workload', groups: [], actors: [] },
  session: { id: 's', run: null, operations: 0, rows: 0, bytes: 0, denials: 0 },
  resource: { name: 'shop', kind: 'postgres', labels: {} },
  operation: { kind: 'connect', class: 'postgres.connect', classes: ['postgres.connect'] },
  time,
});

/** An engine that answers with a value and notes what it was given. */
function answering(answer: (input: unknown) => unknown): Engine & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    evaluate(_, given) {
      asked.push(given);
      return answer(given);
    },
  };
}

const options: VerdictsOptions = { revision: 'r1', inputPaths: ['/principal', '/resource'] };

describe('verdicts', () => {
  it('P2: name the revision and the rules, and merge masks the strictest way', () => {
    const { decide } = verdicts(
      answering(() => judgement),
      options,
    );
    expect(decide(input())).toEqual({
      decision: 'allow',
      revision: 'r1',
      rules: [{ path: 'sallyport.grant', title: 'reads' }],
      reasons: [],
      masks: [{ column: 'public.customers.email', with: 'redact' }],
      rowLimit: 10,
      profiles: ['reader', 'writer'],
      cacheKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      rulesOff: false,
    });
  });

  it('carry what a hold asks for', () => {
    const held = { ...judgement, decision: 'hold', reasons: ['waits'], hint: 'wait', approval };
    expect(
      verdicts(
        answering(() => held),
        options,
      ).decide(input()),
    ).toMatchObject({
      decision: 'hold',
      hint: 'wait',
      approval: { groups: ['dba'], count: 1, windowMs: 1000 },
    });
  });

  it('give the policy the paths of the manifest and nothing else', () => {
    const engine = answering(() => judgement);
    verdicts(engine, options).decide(input());
    expect(engine.asked).toEqual([{ principal: input().principal, resource: input().resource }]);
  });

  it('ask once for inputs that agree on the paths', () => {
    const engine = answering(() => judgement);
    const port = verdicts(engine, options);
    const first = port.decide(input('crew'));
    expect(port.decide(input('crew', '2026-01-01T00:00:07Z'))).toBe(first);
    expect(engine.asked).toHaveLength(1);
    expect(port.decide(input('crew-2')).cacheKey).not.toBe(first.cacheKey);
    expect(engine.asked).toHaveLength(2);
    expect(port.cache).toEqual({ entries: 2, hits: 1, misses: 2 });
  });

  it('have another key at another revision', () => {
    const engine = answering(() => judgement);
    expect(verdicts(engine, { ...options, revision: 'r2' }).decide(input()).cacheKey).not.toBe(
      verdicts(engine, options).decide(input()).cacheKey,
    );
  });

  it('are cached for a second by a policy that reads the time', () => {
    const engine = answering(() => judgement);
    const port = verdicts(engine, { ...options, inputPaths: ['/time'] });
    port.decide(input('a', '2026-01-01T00:00:00Z'));
    port.decide(input('b', '2026-01-01T00:00:00Z'));
    port.decide(input('a', '2026-01-01T00:00:01Z'));
    expect(engine.asked).toEqual([{ time: '2026-01-01T00:00:00Z' }, { time: '2026-01-01T00:00:01Z' }]);
  });

  it('can not be changed by whoever gets them', () => {
    const verdict = verdicts(
      answering(() => judgement),
      options,
    ).decide(input());
    expect(() => (verdict.masks as unknown[]).pop()).toThrow(TypeError);
    expect(Object.isFrozen(verdict)).toBe(true);
  });

  it('P9: the cache is bounded by entries', () => {
    const engine = answering(() => judgement);
    const port = verdicts(engine, { ...options, cacheMaxEntries: 3 });
    for (let at = 0; at < 10; at += 1) port.decide(input(`crew-${at}`));
    expect(port.cache.entries).toBe(3);
    port.decide(input('crew-0'));
    expect(engine.asked).toHaveLength(11);
  });

  it('P9: the cache is bounded by bytes', () => {
    const long = { ...judgement, decision: 'deny', reasons: ['x'.repeat(1000)] };
    const port = verdicts(
      answering(() => long),
      { ...options, cacheMaxBytes: 10_000 },
    );
    for (let at = 0; at < 10; at += 1) port.decide(input(`crew-${at}`));
    expect(port.cache.entries).toBeGreaterThan(0);
    expect(port.cache.entries).toBeLessThan(5);
  });

  it('P2: an undefined policy is a refusal, and is asked again', () => {
    let answer: unknown;
    const engine = answering(() => answer);
    const port = verdicts(engine, options);
    expect(port.decide(input())).toMatchObject({
      decision: 'deny',
      rules: [{ path: 'sallyport.undefined' }],
      revision: 'r1',
      masks: [],
      profiles: [],
    });
    answer = judgement;
    expect(port.decide(input()).decision).toBe('allow');
  });

  it('P2: a policy that fails is a refusal, is told, and is asked again', () => {
    const failures: unknown[] = [];
    let broken = true;
    const engine = answering(() => {
      if (broken) throw new Error('out of memory');
      return judgement;
    });
    const port = verdicts(engine, { ...options, onFailure: (error) => failures.push(error) });
    expect(port.decide(input())).toMatchObject({ decision: 'deny', rules: [{ path: 'sallyport.error' }] });
    expect(failures).toHaveLength(1);
    broken = false;
    expect(port.decide(input()).decision).toBe('allow');
  });

  it('P2: an input that is not plain data is a refusal', () => {
    const port = verdicts(
      answering(() => judgement),
      options,
    );
    const odd = { ...input(), principal: new Date() } as unknown as PolicyInput;
    expect(port.decide(odd)).toMatchObject({ decision: 'deny', rules: [{ path: 'sallyport.error' }], cacheKey: '' });
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a boolean', true],
    ['a list', [judgement]],
    ['nothing', {}],
    ['another decision', { ...judgement, decision: 'Allow' }],
    ['no rules', { ...judgement, rules: [] }],
    ['a rule without title', { ...judgement, rules: [{ path: 'x' }] }],
    ['an unknown key', { ...judgement, mask: [] }],
    ['no masks', { ...judgement, masks: undefined }],
    ['a missing key', { decision: 'allow', rules: judgement.rules }],
    ['an unknown mask', { ...judgement, masks: [{ column: 'a.b.c', with: 'blur' }] }],
    ['a mask without a column', { ...judgement, masks: [{ with: 'redact' }] }],
    ['a mask on half a name', { ...judgement, masks: [{ column: 'customers.card', with: 'redact' }] }],
    ['a mask with more to it', { ...judgement, masks: [{ column: 'a.b.c', with: 'redact', unless: 'x' }] }],
    ['masks as an object', { ...judgement, masks: {} }],
    ['a limit of nothing', { ...judgement, row_limit: 0 }],
    ['a limit in words', { ...judgement, row_limit: '10' }],
    ['a limit of half a row', { ...judgement, row_limit: 0.5 }],
    ['a hold without approval', { ...judgement, decision: 'hold' }],
    ['an allow with approval', { ...judgement, approval }],
    ['a hold for nobody', { ...judgement, decision: 'hold', approval: { ...approval, groups: [] } }],
    ['a hold for no count', { ...judgement, decision: 'hold', approval: { ...approval, count: 0 } }],
    ['a hold without window', { ...judgement, decision: 'hold', approval: { groups: ['dba'], count: 1 } }],
    ['rules off in words', { ...judgement, rules_off: 'no' }],
    ['a reason that is none', { ...judgement, reasons: [null] }],
    ['profiles that are none', { ...judgement, profiles: 'writer' }],
  ])('P2: %s for an answer is a refusal', (_, answer) => {
    const failures: unknown[] = [];
    const port = verdicts(
      answering(() => answer),
      { ...options, onFailure: (error) => failures.push(error) },
    );
    expect(port.decide(input())).toMatchObject({ decision: 'deny', rules: [{ path: 'sallyport.error' }], masks: [] });
    expect(failures).toEqual([expect.objectContaining({ code: 'POLICY_RESULT_INVALID' })]);
    expect(port.cache.entries).toBe(0);
  });

  it('do not look into a large operation again when it is frozen', () => {
    const statements = Array.from({ length: 1000 }, (_, index) => ({ class: 'postgres.read', index }));
    let walks = 0;
    const watched = new Proxy(freezeDeep(statements), {
      get(target, key, receiver) {
        if (key === '0') walks += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    const port = verdicts(
      answering(() => judgement),
      { revision: 'r1', inputPaths: ['/operation/statements'] },
    );
    const ask = (parameters: string[]): unknown =>
      port.decide({ ...input(), operation: { ...input().operation, statements: watched, parameters } as never });
    ask(['1']);
    const walked = walks;
    ask(['2']);
    ask(['3']);
    expect(walks).toBe(walked);
    expect(port.cache.hits).toBe(2);
  });
});
