import { TOPICS, type BusRecord } from '@sallyport/bus';
import { DISTRUST_TOLD_EVERY_MS, distrustReport } from './index.js';

const record: BusRecord = {
  topic: TOPICS.control,
  partition: 0,
  offset: 7n,
  timestampMs: 0,
  key: null,
  value: Buffer.from('{}'),
  headers: {},
};

it('P9: whoever floods a topic with forged records does not flood the log; all are counted', () => {
  let now = 0;
  let counted = 0;
  const lines: object[] = [];
  const report = distrustReport({
    counted: () => (counted += 1),
    log: { warn: (fields) => void lines.push(fields) },
    nowMs: () => now,
  });
  for (let n = 0; n < 1000; n++) report('unsigned', record);
  report('unknown-key', record);
  expect(counted).toBe(1001);
  expect(lines).toEqual([
    { topic: TOPICS.control, reason: 'unsigned', partition: 0, offset: '7', untold: 0 },
    { topic: TOPICS.control, reason: 'unknown-key', partition: 0, offset: '7', untold: 0 },
  ]);
  now = DISTRUST_TOLD_EVERY_MS;
  report('unsigned', record);
  expect(lines.at(-1)).toMatchObject({ reason: 'unsigned', untold: 999 });
});
