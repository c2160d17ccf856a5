import { AnnouncedServices, sealKeyOf, sealTo } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { answerBinding, openAnswer } from './sealed-answer.js';

const { keys, roster } = enrolled('decision/d1', 'decision/d2', 'edge/e1');
const ANSWER = { hold: 'h', session: 's', hash: 'ab', answer: 'deny', comment: 'no' } as const;

async function sealed(): Promise<object> {
  const token = await sealTo([sealKeyOf(keys['decision/d1'])], 'the token', answerBinding(ANSWER));
  expect(token).not.toContain('the token');
  return { ...ANSWER, token };
}

describe('an approver’s token on the bus', () => {
  it('P3: is read by the decision service that it is sealed to, and by nobody else', async () => {
    const answer = await sealed();
    expect(await openAnswer(keys['decision/d1'], answer)).toEqual({ ...ANSWER, token: 'the token' });
    expect(await openAnswer(keys['decision/d2'], answer)).toBeUndefined();
    expect(await openAnswer(keys['edge/e1'], answer)).toBeUndefined();
    await expect(sealTo(new AnnouncedServices(roster).sealKeys('decision'), 'x', {})).rejects.toMatchObject({ code: 'TRUST_NO_RECIPIENT' });
  });

  it.each([
    ['answer', { answer: 'grant' }],
    ['hold', { hold: 'other' }],
    ['session', { session: 'other' }],
    ['operation', { hash: 'cd' }],
    ['comment', { comment: 'yes' }],
    ['kind of answer', { answer: 'maybe' }],
    ['shape', { hold: { toString: 'h' } }],
    ['token', { token: 'the token' }],
  ])('P10: taken out of its answer it fits into no other: another %s', async (_, altered) => {
    expect(await openAnswer(keys['decision/d1'], { ...(await sealed()), ...altered })).toBeUndefined();
  });

  it('what is no answer at all is none', async () => {
    for (const sent of [undefined, null, 7, 'x', [], {}]) expect(await openAnswer(keys['decision/d1'], sent)).toBeUndefined();
  });
});
