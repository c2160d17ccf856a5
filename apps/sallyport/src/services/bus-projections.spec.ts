import { type Ask, busProjections } from './bus-projections.js';

const running = { id: 'r-1', state: 'running', started: '2026-01-02T03:04:05.000Z', ended: null, failure: null };

/** Answers, one after the other; an error is thrown. */
function answering(...answers: readonly unknown[]): { readonly ask: Ask; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const left = [...answers];
  const ask = async (pattern: string, data: unknown): Promise<unknown> => {
    asked.push([pattern, data]);
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { ask: ask as Ask, asked };
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('the projectors over the bus', () => {
  it('P7: tell offsets beyond what numbers hold', async () => {
    const topic = { topic: 'sallyport.sessions.v1', partition: 11 };
    const { ask } = answering({
      topics: [{ ...topic, next: '9007199254740993', end: '9007199254740995', lag: '2' }],
      checkpoints: [],
      rebuilding: true,
      rebuild: running,
      notReady: [],
    });
    expect(await busProjections(ask).status()).toEqual({
      topics: [{ ...topic, next: 9007199254740993n, end: 9007199254740995n, lag: 2n }],
      checkpoints: [],
      rebuilding: true,
      rebuild: running,
      notReady: [],
    });
  });

  it('P7: are asked again for a rebuild whose answer was lost, by the same id, and not for ever', async () => {
    const lost = answering(failure('BUS_REQUEST_TIMEOUT'), running);
    expect(await busProjections(lost.ask).rebuild('r-1')).toEqual(running);
    expect(lost.asked).toEqual([1, 2].map(() => ['projections.rebuild', { id: 'r-1' }]));
    const away = answering(...Array.from({ length: 5 }, () => failure('BUS_REQUEST_TIMEOUT')));
    await expect(busProjections(away.ask).rebuild('r-1')).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
    expect(away.asked).toHaveLength(3);
    const refused = answering(failure('STORE_UNREACHABLE'), running);
    await expect(busProjections(refused.ask).rebuild('r-1')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  });
});
