/*
 * Fuzzes the Postgres codec and its startup phase: valid conversations, mutated and cut at random.
 *
 *     node test/fuzz/wire-postgres.mjs [--minutes N] [--seed S] [--keep DIR]
 *
 * Needs the built packages (npm run build). Exits 0 when nothing was found, 1 when something was: the input is then in
 * libs/wire-postgres/testdata/corpus/, where a spec replays it for ever, and 2 for wrong use.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { encodeBackend, encodeFrontend, encodeOAuthBearerInitialResponse, encodeStartupPacket, error } from '@sallyport/wire-postgres';

import { check } from '../../libs/wire-postgres/dist/fuzz-check.js';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, keep: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write('--minutes takes a number over 0, --seed a whole number\n');
  process.exit(2);
}
const corpus = values.keep ?? join(import.meta.dirname, '../../libs/wire-postgres/testdata/corpus');

/** mulberry32: the same seed gives the same run. */
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];

const f = encodeFrontend;
const b = encodeBackend;
const startup = (minor) =>
  encodeStartupPacket({
    kind: 'startupMessage',
    protocol: { major: 3, minor },
    parameters: new Map([
      ['user', 'ann'],
      ['database', 'shop'],
      ['_pq_.x', '1'],
      ['options', '-c search_path=a'],
    ]),
  });
const target = { target: 'statement', name: 's1' };
const bind = {
  kind: 'bind',
  portal: '',
  statement: 's1',
  parameterFormats: [0, 1],
  parameters: [Buffer.from('42'), null],
  resultFormats: [1],
};
const columns = [{ name: 'id', tableOid: 16384, attribute: 1, typeOid: 23, typeSize: 4, typeModifier: -1, format: 0 }];

/** Each begins with what `check` runs it as: 'S' startup packets, 'F' a client's frames, 'B' a server's, 'O' OAUTHBEARER. */
const seeds = [
  ['S', encodeStartupPacket({ kind: 'sslRequest' }), startup(0)],
  ['S', encodeStartupPacket({ kind: 'gssEncRequest' }), startup(2)],
  ['S', encodeStartupPacket({ kind: 'cancelRequest', processId: 7, secret: Buffer.alloc(32, 1) })],
  ['O', encodeOAuthBearerInitialResponse({ token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' })],
  [
    'F',
    f({ kind: 'saslInitialResponse', mechanism: 'OAUTHBEARER', data: encodeOAuthBearerInitialResponse({ token: 'abc' }) }),
    f({ kind: 'passwordMessage', password: 'secret' }),
    f({ kind: 'query', sql: Buffer.from('select 1; select 2') }),
    f({ kind: 'terminate' }),
  ],
  [
    'F',
    f({ kind: 'parse', statement: 's1', sql: Buffer.from('select $1, $2'), parameterTypes: [23, 25] }),
    f(bind),
    f({ kind: 'describe', ...target }),
    f({ kind: 'execute', portal: '', maxRows: 10 }),
    f({ kind: 'close', ...target }),
    f({ kind: 'flush' }),
    f({ kind: 'sync' }),
  ],
  [
    'F',
    f({ kind: 'copyData', data: Buffer.from('1\tx\n') }),
    f({ kind: 'copyDone' }),
    f({ kind: 'copyFail', reason: 'no' }),
    f({ kind: 'functionCall', functionOid: 1, argumentFormats: [0], arguments: [Buffer.from('a'), null], resultFormat: 0 }),
  ],
  [
    'B',
    b({ kind: 'negotiateProtocolVersion', newest: { major: 3, minor: 0 }, unknownOptions: ['_pq_.x'] }),
    b({ kind: 'authenticationSasl', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] }),
    b({ kind: 'authenticationSaslContinue', data: Buffer.from('r=x,s=eA==,i=4096') }),
    b({ kind: 'authenticationSaslFinal', data: Buffer.from('v=eA==') }),
    b({ kind: 'authenticationMd5Password', salt: Buffer.alloc(4, 9) }),
    b({ kind: 'authenticationOk' }),
    b({ kind: 'parameterStatus', name: 'TimeZone', value: 'UTC' }),
    b({ kind: 'backendKeyData', processId: 7, secret: Buffer.alloc(32, 1) }),
    b({ kind: 'readyForQuery', status: 'I' }),
  ],
  [
    'B',
    b({ kind: 'parseComplete' }),
    b({ kind: 'parameterDescription', types: [23, 25] }),
    b({ kind: 'rowDescription', columns }),
    b({ kind: 'dataRow', values: [Buffer.from('1'), null] }),
    b({ kind: 'commandComplete', tag: 'SELECT 1' }),
    b(error('42601', 'syntax error', { position: '8' })),
    b({ kind: 'notificationResponse', processId: 7, channel: 'c', payload: 'p' }),
    b({ kind: 'copyInResponse', format: 0, columnFormats: [0, 0] }),
    b({ kind: 'functionCallResponse', value: null }),
    b({ kind: 'readyForQuery', status: 'E' }),
  ],
].map(([mode, ...parts]) => Buffer.concat([Buffer.from(mode), ...parts]));

mkdirSync(corpus, { recursive: true });
for (const name of readdirSync(corpus)) seeds.push(readFileSync(join(corpus, name)));

const NUMBERS = [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, -1, -2, -0x80000000];

function mutate(input) {
  let bytes = Buffer.from(input);
  for (let left = 1 + below(6); left > 0 && bytes.length > 1; left -= 1) {
    const at = 1 + below(bytes.length - 1);
    switch (below(7)) {
      case 0:
        bytes[at] ^= 1 << below(8);
        break;
      case 1:
        bytes[at] = below(256);
        break;
      case 2:
        if (at + 4 <= bytes.length) bytes.writeInt32BE(pick(NUMBERS), at);
        break;
      case 3:
        if (at + 2 <= bytes.length) bytes.writeInt16BE((pick(NUMBERS) << 16) >> 16, at);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(12))]);
        break;
      case 5:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(Array.from({ length: below(12) }, () => below(256))),
          bytes.subarray(at),
        ]);
        break;
      default: {
        const other = pick(seeds);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(1 + below(other.length))]);
      }
    }
  }
  return bytes.subarray(0, 8192);
}

process.stdout.write(`wire-postgres: seed ${seed}, ${minutes} min\n`);
for (const input of seeds) check(input);
const SLOW_MS = 500;
const end = Date.now() + minutes * 60_000;
let runs = 0;
while (Date.now() < end) {
  const input = mutate(pick(seeds));
  const started = performance.now();
  try {
    check(input);
    const ms = performance.now() - started;
    if (ms > SLOW_MS) throw new Error(`took ${Math.round(ms)} ms`);
  } catch (found) {
    const file = join(corpus, createHash('sha256').update(input).digest('hex').slice(0, 16));
    writeFileSync(file, input);
    process.stderr.write(`found after ${runs} inputs (seed ${seed}), kept in ${file}\n${found.stack}\n`);
    process.exit(1);
  }
  runs += 1;
}
process.stdout.write(`wire-postgres: ${runs} inputs, nothing found\n`);
