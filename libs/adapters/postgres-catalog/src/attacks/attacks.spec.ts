import { readFile } from 'node:fs/promises';

import { testPostgres, type TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { MaskPlanner } from '@sallyport/masking';
import { loadParser } from '@sallyport/operation';
import type { MaskRule } from '@sallyport/verdict';

import { PostgresMaskCatalog } from '../index.js';
import { type Delivered, GatedSession } from './gated-session.js';

/**
 * The attacks are data: attacks.json and ordinary.json. `expect`: `refused` by the plan, `masked` values delivered, `clean`
 * (it runs and quotes nothing), `allowed`. Without the gate each must show a secret, unless `leaks` is false (it tells only
 * whether a guess was right, or prepares the ground). `extended: false` is for what the extended protocol can't carry.
 */
interface Attack {
  readonly name: string;
  readonly steps: readonly string[];
  readonly expect: 'refused' | 'masked' | 'clean' | 'allowed';
  readonly leaks?: boolean;
  readonly extended?: boolean;
}

const here = new URL('.', import.meta.url);
const load = async (file: string): Promise<Attack[]> => JSON.parse(await readFile(new URL(file, here), 'utf8')) as Attack[];
const attacks = await load('attacks.json');
const ordinary = await load('ordinary.json');

const MASKS: MaskRule[] = [
  { column: 'public.customers.email', with: 'redact' },
  { column: 'public.customers.card', with: 'hash' },
  { column: 'public.customers.profile', with: 'redact' },
  { column: 'public.people.email', with: 'redact' },
  { column: 'public.base.email', with: 'redact' },
];
const SECRET = /xqzkw|qvjz|wkzqx|zjvq|7871[67]a6b77|eHF6a3/i;

let server: TestPostgres;
let agentUrl: string;
let catalog: PostgresMaskCatalog;

beforeAll(async () => {
  await loadParser();
  server = await testPostgres({ database: 'shop' });
  await server.query(await readFile(new URL('shop.sql', here), 'utf8'));
  await server.query(`
    CREATE ROLE agent LOGIN PASSWORD 'agent';
    GRANT ALL ON SCHEMA public, other TO agent;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, other TO agent;
    GRANT pg_read_all_stats, pg_read_all_data TO agent;
    GRANT SELECT ON pg_statistic TO agent`);
  agentUrl = `postgres://agent:agent@${server.host}:${server.port}/shop`;
  catalog = new PostgresMaskCatalog({ client: { connectionString: agentUrl } });
  gated = await GatedSession.open(agentUrl, MASKS);
  open = await GatedSession.open(agentUrl, MASKS);
});

afterAll(async () => {
  gated?.close();
  open?.close();
  await catalog?.close();
  await server?.stop();
});

let gated: GatedSession;
let open: GatedSession;

async function play(attack: Attack, way: 'simple' | 'extended', session: GatedSession): Promise<Delivered[]> {
  const answers: Delivered[] = [];
  await session.reset(session === gated ? new MaskPlanner({ catalog }) : undefined);
  for (const step of attack.steps) {
    const answer = await session.run(step, way);
    answers.push(answer);
    if (answer.refused !== undefined) break;
  }
  return answers;
}

const shows = (answers: readonly Delivered[]): boolean => answers.some((answer) => SECRET.test(answer.bytes.toString('latin1')));

describe.each(['simple', 'extended'] as const)('%s query', (way) => {
  const usable = (list: readonly Attack[]): Attack[] => list.filter((attack) => way === 'simple' || attack.extended !== false);

  it.each(usable(attacks).map((attack) => [attack.name, attack] as const))('P5: %s', async (_name, attack) => {
    const answers = await play(attack, way, gated);
    expect(shows(answers)).toBe(false);
    const refused = answers.at(-1)?.refused;
    if (attack.expect === 'refused') {
      expect(refused).toMatch(/^public\.\w+\.\w+ is masked for you, and .+\.$/);
      expect(refused).not.toMatch(SECRET);
    } else {
      expect(refused).toBeUndefined();
    }
    if (attack.expect === 'masked') expect(Buffer.concat(answers.map((answer) => answer.bytes)).toString()).toContain('[redacted]');
  });

  it.each(
    usable(ordinary)
      .filter((one) => way === 'simple' || !one.steps[0]?.includes(';'))
      .map((one) => [one.name, one] as const),
  )('lets ordinary work through: %s', async (_name, one) => {
    const answers = await play(one, way, gated);
    expect(answers.map((answer) => answer.refused)).toEqual([undefined]);
    expect(answers[0]?.tags.length).toBeGreaterThan(0);
    expect(shows(answers)).toBe(false);
  });
});

describe('the attacks are real', () => {
  it.each(attacks.filter((attack) => attack.leaks !== false).map((attack) => [attack.name, attack] as const))(
    'without a gate it shows a secret: %s',
    async (_name, attack) => {
      const inTransaction = attack.steps[0] === 'BEGIN' ? attack.steps : ['BEGIN', ...attack.steps];
      expect(shows(await play({ ...attack, steps: inTransaction }, 'simple', open))).toBe(true);
    },
  );
});
