import { createHash } from 'node:crypto';
import { UNMASKED } from '@sallyport/masking';
import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { Delivery } from './delivery.js';
import { Flight } from './flight.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function setup() {
  const agent = new PassThrough();
  const written: Buffer[] = [];
  agent.on('data', (chunk: Buffer) => written.push(chunk));
  return { delivery: new Delivery(agent as unknown as Socket), text: () => Buffer.concat(written).toString() };
}
const flight = (): Flight => new Flight(undefined, { plans: UNMASKED, text: '' });

describe('Delivery', () => {
  it('keeps the order, and counts each operation’s bytes as they were delivered', async () => {
    const { delivery, text } = setup();
    const [one, two] = [flight(), flight()];
    const chunk = Buffer.from('aabbccdd');
    delivery.pass(chunk.subarray(0, 2), one);
    delivery.pass(chunk.subarray(2, 4), one);
    delivery.pass(chunk.subarray(4, 6), two);
    delivery.pass(Buffer.from('xx'), one);
    delivery.pass(chunk.subarray(6, 8), undefined);
    delivery.flush();
    await new Promise((resolve) => setImmediate(resolve));
    expect(text()).toBe('aabbccxxdd');
    expect(one.end('ok')).toMatchObject({ bytes: 6, digest: sha256('aabbxx') });
    expect(two.end('ok')).toMatchObject({ bytes: 2, digest: sha256('cc') });
  });

  it('S2: an end that is put on record in the middle of a chunk has everything up to there, once', () => {
    const { delivery } = setup();
    const one = flight();
    delivery.pass(Buffer.from('aa'), one);
    delivery.settle();
    expect(one.end('ok')).toMatchObject({ bytes: 2, digest: sha256('aa') });
    delivery.flush();
    expect(one.bytes).toBe(2);
  });
});
