import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOPICS } from '@sallyport/bus';
import type { RevocationView } from '@sallyport/console';
import { testConsole, type TestConsole } from '@sallyport/console/testing';
import { announce, followTrusted, writeControl } from '@sallyport/trust';
import { type Ran, startCommand } from '../testing.js';

let test: TestConsole;
let cwd: string;

beforeAll(async () => {
  test = await testConsole();
  cwd = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
});
afterAll(async () => {
  await test.stop();
  rmSync(cwd, { recursive: true, force: true });
});

/** On the data directory of the console that runs. */
const cli = (...argv: string[]): Promise<Ran> =>
  startCommand([...argv, '--data', test.dataDirectory], { cwd, env: { XDG_STATE_HOME: join(cwd, 'state') } }).ended;

describe('revocations', () => {
  it('P10: with one edge stopped it is shown as unconfirmed, until it has confirmed', async () => {
    const { bus, keys } = test;
    for (const name of ['edge/a', 'edge/b'] as const)
      await announce(bus, keys[name], { installation: 'i', version: '0', nowMs: Date.now() });
    const confirms = async (name: 'edge/a' | 'edge/b', revocation: string): Promise<void> => {
      const identity = { id: `${name} ${revocation}`, subject: name, key: revocation, timeMs: Date.now() };
      await writeControl(bus, keys[name], identity, 'revocation.applied', { revocation, sessions: 2 });
    };
    // An edge that is up: it confirms whatever is revoked.
    const edge = await followTrusted({
      bus,
      topic: TOPICS.control,
      roster: test.roster,
      start: { at: 'latest' },
      onEvent: (event) => event.type === 'principal.revoked' && void confirms('edge/a', event.id),
      onError: () => undefined,
    });
    const stopped = await cli('principals', 'revoke', 'agent-9', '--wait', '0.5');
    expect(stopped.out).toBe(
      'Revoked agent-9: no session was open.\nConfirmed by edge/a: 2 sessions ended there.\nNot confirmed by edge/b.\n',
    );
    expect(stopped).toMatchObject({ code: 1, err: expect.stringContaining('1 edge did not confirm it yet') });
    const [shown] = JSON.parse((await cli('revocations', 'list', '--principal', 'agent-9', '--format', 'json')).out) as RevocationView[];
    expect(shown).toMatchObject({ principal: 'agent-9', confirmed: false, edges: [{ state: 'confirmed' }, { state: 'unconfirmed' }] });
    expect((await cli('principals', 'show', 'agent-9')).out).toMatch(/principal +agent-9 +.*edge\/a +edge\/b/);
    // It is back.
    await confirms('edge/b', shown!.id);
    const whole = async (): Promise<boolean> =>
      (JSON.parse((await cli('revocations', 'list', '--principal', 'agent-9', '--format', 'json')).out) as RevocationView[])[0]!.confirmed;
    while (!(await whole()));
    expect((await cli('revocations', 'list', '--session', 's-nobody')).err).toBe('Nobody was revoked.\n');
    expect(await cli('principals', 'revoke', 'agent-9', '--wait', 'soon')).toMatchObject({ code: 2 });
    await edge.close();
  });
});
