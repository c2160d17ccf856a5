import { pino } from 'pino';
import { logDistrusted } from './log-distrusted.js';

it('P9: who floods the bus with what nobody believes does not fill the log', () => {
  const lines: string[] = [];
  const distrusted = logDistrusted(pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }));
  for (let n = 0; n < 1000; n++) for (const reason of ['unsigned', 'bad-signature', 'nobody-waits']) distrusted(reason);
  expect(lines.map((line) => (JSON.parse(line) as { reason: string }).reason)).toEqual(['unsigned', 'bad-signature']);
});
