import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testConsole, type TestConsole } from '@sallyport/console/testing';
import { type Ran, type RunningCommand, startCommand, until } from './testing.js';

let test: TestConsole;
let cwd: string;

beforeAll(async () => {
  test = await testConsole();
  cwd = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  await test.write(
    { id: 's-1', run: 'run-7' },
    { id: 's-2', end: 'open', waiting: true },
    { id: 's-3', subject: 'agent-analyst', end: 'aborted' },
  );
});
afterAll(async () => {
  await test.stop();
  rmSync(cwd, { recursive: true, force: true });
});

const env = (): Record<string, string> => ({ XDG_STATE_HOME: join(cwd, 'state') });
const start = (...argv: string[]): RunningCommand => startCommand(argv, { cwd, env: env() });
const bare = (...argv: string[]): Promise<Ran> => start(...argv).ended;
/** On the data directory of the console that runs. */
const cli = (...argv: string[]): Promise<Ran> => bare(...argv, '--data', test.dataDirectory);

describe('wrong use', () => {
  it.each([
    [['nope']],
    [['sessions', 'lits']],
    [['sessions', 'list', '--nope']],
    [['sessions', 'list', '--state', 'asleep']],
    [['sessions', 'list', '--format', 'xml']],
    [['sessions', 'list', '--limit', '0']],
    [['sessions', 'replay']],
    [['sessions', 'show', 'a', 'b']],
    [['sessions', 'export', 's-1']],
    [['login', '--issuer', 'http://idp.example.com']],
    [['login', '--provider', 'nobody']],
    [['policy', 'test', '--root', '/tmp']],
    [['--config', 'missing.yaml', 'sessions', 'list']],
    [['--console', 'http://console.example.com', 'sessions', 'list', '--token', 't']],
    [['verify', 'no/such/path']],
    [['connect', 'postgres', "shop' host=evil", '--token', 't']],
    [['connect', 'postgres', 'shop', '--edge', 'nowhere', '--token', 't']],
    [['sessions', 'list']],
    [['token']],
  ])('%j exits 2, with one clear line on stderr and nothing on stdout', async (argv) => {
    const { code, out, err } = await bare(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^sallyport: \S.*\n/);
    expect(err).not.toMatch(/ {4}at |undefined|\[object/);
  });

  it('a command without its verb prints its help, and exits 2', async () => {
    for (const argv of [[], ['sessions'], ['approvals']])
      expect(await bare(...argv)).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage: sallyport') });
  });

  it('the mistakes of a configuration come with file, line and column', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'data: ./data\nlisten:\n  postgres: { address: nowhere }\nnonsense: 1\n');
    const { code, err } = await bare('config', 'check', '--config', 'bad.yaml');
    expect(code).toBe(2);
    expect(err).toMatch(/^bad\.yaml:3:\d+ listen\.postgres\.address: /m);
    expect(err).toMatch(/^bad\.yaml:4:1 nonsense: /m);
    expect((await bare('sessions', 'list', '--config', 'bad.yaml')).err).toMatch(/bad\.yaml:4:1/);
  });
});

describe('help', () => {
  it('is there for every command, with examples, and exits 0', async () => {
    const nouns = [
      'up',
      'config check',
      'sessions list',
      'sessions replay',
      'sessions tail',
      'sessions export',
      'approvals grant',
      'approvals deny',
    ];
    for (const noun of [
      ...nouns,
      'leases list',
      'principals revoke',
      'revocations list',
      'runs show',
      'resources list',
      'policy build',
      'login',
      'token',
      'connect postgres',
      'verify',
      'projections rebuild',
    ]) {
      const { code, out, err } = await bare(...noun.split(' '), '--help');
      expect({ noun, code, err }).toEqual({ noun, code: 0, err: '' });
      expect(out).toContain(`Usage: sallyport ${noun}`);
      expect(out).toContain('Examples:');
    }
    expect(await bare('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('lists', () => {
  it('as JSON are an array on stdout and nothing else', async () => {
    const { code, out, err } = await cli('sessions', 'list', '--format', 'json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const rows = JSON.parse(out) as Record<string, unknown>[];
    expect(rows.map(({ id }) => String(id)).sort()).toEqual(['s-1', 's-2', 's-3']);
    for (const row of rows)
      for (const field of ['id', 'principal', 'resource', 'state', 'opened', 'closed']) expect(row).toHaveProperty(field);
    const empty = await cli('sessions', 'list', '--format', 'json', '--principal', 'nobody');
    expect(empty).toMatchObject({ code: 0, err: '', out: '[]\n' });
  });

  it('as tables are lined up, one row a line', async () => {
    for (const noun of ['sessions', 'approvals', 'principals', 'runs', 'resources']) {
      const { code, out } = await cli(noun, 'list');
      expect(code).toBe(0);
      const lines = out.trimEnd().split('\n');
      expect(lines.length).toBeGreaterThan(1);
      expect(lines[0]).toMatch(/^[A-Z]/);
      expect(out).not.toMatch(/[│─]|undefined|NaN/);
      expect(out).not.toContain('\u001b');
    }
    expect(await cli('leases', 'list')).toMatchObject({ code: 0, out: '', err: 'No leases.\n' });
  });

  it('give no more than was asked for', async () => {
    expect(JSON.parse((await cli('sessions', 'list', '--format', 'json', '--limit', '2')).out)).toHaveLength(2);
  });

  it('say what to do when nothing answers: exit 3', async () => {
    const { code, out, err } = await bare('sessions', 'list', '--console', 'http://127.0.0.1:9', '--token', 't');
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(/can't reach the console at http:\/\/127\.0\.0\.1:9 \(.*\)\n.*sallyport up/);
  });

  it('say what to do when the token is no good: exit 2', async () => {
    const { code, err } = await cli('sessions', 'list', '--token', 'nonsense');
    expect(code).toBe(2);
    expect(err).toMatch(/token from --token was not accepted\n.*sallyport login/);
  });
});

describe('sessions', () => {
  it('show has the events with id, type, time and data', async () => {
    const { code, out } = await cli('sessions', 'show', 's-1');
    const session = JSON.parse(out) as { id: string; events: Record<string, unknown>[] };
    expect({ code, id: session.id }).toEqual({ code: 0, id: 's-1' });
    expect(session.events[0]).toMatchObject({ id: 's-1:0', type: 'session.opened', time: expect.any(String), data: expect.any(Object) });
    expect(await cli('sessions', 'show', 's-9')).toMatchObject({ code: 1, out: '' });
  });

  it('replay tells who, what, the verdict with its rule, who approved, and the end', async () => {
    const { code, out } = await cli('sessions', 'replay', 's-1');
    expect(code).toBe(0);
    for (const part of [
      'crew-stock on shop',
      'run run-7',
      'sp_1',
      'hold',
      '#1 UPDATE stock SET n = $1 WHERE id = $2',
      'analysts read the shop (sallyport.grants)',
      'granted',
      'by dana',
      'closed',
      'the client ended it',
    ]) {
      expect(out).toContain(part);
    }
    expect(out).toMatch(/^ +0\.000 {2}opened/m);
    expect((await cli('sessions', 'replay', 's-2')).out).toContain('The session is open');
    expect((await cli('sessions', 'replay', 's-3')).out).toContain('aborted');
  });

  it('tail shows a session from its opening to its end', async () => {
    const tail = start('sessions', 'tail', 's-2', '--data', test.dataDirectory, '--format', 'json');
    await until('it shows what was', () => tail.out().includes('approval.requested'));
    tail.stop();
    expect((await tail.ended).code).toBe(0);
    const over = await cli('sessions', 'tail', 's-1');
    expect(over).toMatchObject({ code: 0 });
    expect(over.out).toContain('the client ended it');
  });

  it('tail follows what happens, live', async () => {
    const tail = start('sessions', 'tail', '--data', test.dataDirectory);
    await until('it follows', () => tail.err().includes('Following'));
    await test.write({ id: 'live-1' });
    await until('the end is shown', () => tail.out().includes('closed'));
    expect(tail.out()).toMatch(/^live-1 +\d\d:\d\d:\d\d {2}opened +crew-stock on shop/m);
    tail.stop();
    expect((await tail.ended).code).toBe(0);
  });
});

describe('approvals and revocation', () => {
  it('a grant goes on with the approver’s token, and exits 0', async () => {
    const { code, out } = await cli('approvals', 'grant', 's-2-h1', '--comment', 'ok', '--token', test.tokens['dana']!);
    expect({ code, out }).toEqual({ code: 0, out: 'Granted s-2-h1 as dana.\n' });
    expect(test.answers.at(-1)).toMatchObject({
      hold: 's-2-h1',
      session: 's-2',
      answer: 'grant',
      comment: 'ok',
      token: test.tokens['dana'],
    });
  });

  it('who may not is told why, and exits 1', async () => {
    const before = test.answers.length;
    const { code, err } = await cli('approvals', 'deny', 's-2-h1');
    expect(code).toBe(1);
    expect(err).toMatch(/^sallyport: refused: /);
    expect(await cli('approvals', 'grant', 'nothing', '--token', test.tokens['dana']!)).toMatchObject({ code: 1 });
    expect(test.answers).toHaveLength(before);
  });

  it('P10: a revocation waits for the sessions to end, and says when they have not', async () => {
    const { code, out, err } = await cli('principals', 'revoke', 'crew-stock', '--reason', 'odd');
    expect(out).toBe('Revoked crew-stock: 1 session had to end.\n');
    expect(code).toBe(1);
    expect(err).toContain('1 session did not end yet');
    expect(await cli('principals', 'revoke', 'nobody')).toMatchObject({ code: 0, out: 'Revoked nobody: no session was open.\n' });
  });
});

describe('verify', () => {
  const copy = (): string => {
    const to = mkdtempSync(join(cwd, 'copy-'));
    cpSync(test.dataDirectory, to, { recursive: true });
    return to;
  };
  const segment = (directory: string): string => {
    const partition = join(directory, 'bus/topics/sallyport.sessions.v1/0');
    return join(partition, readdirSync(partition).find((name) => name.endsWith('.segment')) ?? '');
  };
  const keysFile = async (): Promise<string> => {
    const { code, out } = await cli('verify', '--print-keys');
    expect(code).toBe(0);
    expect(out).toMatch(/^edge\/test\+[0-9a-f]{8}\+\S+\nledger\/test\+/);
    writeFileSync(join(cwd, 'keys.txt'), out);
    return 'keys.txt';
  };

  it('P6: a copy made while it runs is whole, and the report says where the keys came from', async () => {
    const { code, out } = await bare('verify', copy());
    expect(code).toBe(0);
    expect(out).toMatch(/integrity +ok/);
    expect(out).toMatch(/completeness +ok/);
    expect(out).toContain('keys came from the directory itself');
    const given = await bare('verify', copy(), '--keys', await keysFile());
    expect(given.code).toBe(0);
    expect(given.out).not.toContain('came from the directory');
    expect((await cli('verify')).code).toBe(0);
  });

  it('P6: one altered byte is found, with its file and offset', async () => {
    const altered = copy();
    const bytes = readFileSync(segment(altered));
    const at = bytes.indexOf('UPDATE stock');
    bytes[at]! ^= 1;
    writeFileSync(segment(altered), bytes);
    const { code, out } = await bare('verify', altered);
    expect(code).toBe(1);
    expect(out).toMatch(/integrity +FAILED/);
    expect(out).toMatch(/FRAME_CORRUPT {2}bus\/topics\/sallyport\.sessions\.v1\/0\/\S+, offset \d+/);
    expect(out).toMatch(/SEQUENCE_GAP .*event s-\d:\d+/);
    const report = JSON.parse((await bare('verify', altered, '--format', 'json')).out) as {
      ok: boolean;
      reports: { integrity: { ok: boolean } }[];
    };
    expect([report.ok, report.reports[0]?.integrity.ok]).toEqual([false, false]);
  });

  it('P6: a log that was cut is found by what was signed of it', async () => {
    const cut = copy();
    truncateSync(segment(cut), 9000);
    const { code, out } = await bare('verify', cut, '--keys', await keysFile());
    expect(code).toBe(1);
    expect(out).toMatch(/completeness +FAILED/);
    expect(out).toContain('LOG_TRUNCATED');
  });

  it('P6: an export proves itself, offline, and a changed one does not', async () => {
    const out = `evidence-${Date.now()}`;
    expect(await cli('sessions', 'export', 's-3', '--out', out)).toMatchObject({ code: 0 });
    expect(readdirSync(join(cwd, out)).sort()).toEqual(['checkpoint', 'events.jsonl', 'inclusion.json', 'keys']);
    const keys = await keysFile();
    expect(await bare('verify', out, '--keys', keys)).toMatchObject({ code: 0 });
    expect(await cli('sessions', 'export', 's-3', '--out', out)).toMatchObject({ code: 2, err: expect.stringContaining('is not empty') });
    const events = join(cwd, out, 'events.jsonl');
    writeFileSync(events, readFileSync(events, 'utf8').replace('agent-analyst', 'agent-analysu'));
    expect(await bare('verify', out, '--keys', keys)).toMatchObject({ code: 1 });
  });

  it('P6: a session by its id, from the console that runs', async () => {
    expect(await cli('verify', 's-1')).toMatchObject({ code: 0, out: expect.stringContaining('session s-1') });
    expect(await cli('verify', 's-9')).toMatchObject({ code: 1, out: '' });
  });

  it('keys of somebody else make it fail', async () => {
    writeFileSync(join(cwd, 'other.txt'), readFileSync(join(cwd, 'keys.txt'), 'utf8').split('\n')[0] ?? '');
    const { code, out } = await bare('verify', copy(), '--keys', 'other.txt');
    expect(code).toBe(1);
    expect(out).toContain('CHECKPOINT_SIGNATURE');
  });
});

describe('login', () => {
  /** Clicks as a person would: keeps cookies, follows the issuer, fills in what is there. */
  async function signInAs(subject: string, first: string): Promise<void> {
    const cookies = new Map<string, string>();
    const go = async (url: string, form?: Record<string, string>): Promise<{ url: string; html: string }> => {
      const response = await fetch(url, {
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(form ? { origin: new URL(url).origin } : {}),
        },
        ...(form ? { body: new URLSearchParams(form) } : {}),
      });
      for (const line of response.headers.getSetCookie())
        cookies.set(line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).split(';')[0] ?? '');
      const location = response.headers.get('location');
      return location === null ? { url, html: await response.text() } : go(new URL(location, url).href);
    };
    let page = await go(first);
    for (let clicks = 0; clicks < 5 && !/Go back to the terminal/.test(page.html); clicks += 1) {
      const hidden = [...page.html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]);
      const target = /action="([^"]+)"/.exec(page.html)?.[1] ?? page.url;
      page = await go(
        new URL(target, page.url).href,
        page.html.includes(`value="${subject}"`) ? { subject } : (Object.fromEntries(hidden) as Record<string, string>),
      );
    }
    expect(page.html).toContain('Go back to the terminal');
  }

  it.each([['with a browser'], ['with a code on another screen']])(
    '%s; the token is kept for its owner only, and used by the other commands',
    async (how) => {
      const device = how.includes('code');
      const login = start('login', '--no-browser', '--data', test.dataDirectory, ...(device ? ['--device'] : []));
      await until('it waits', () => login.err().includes('Waiting'));
      const url = /(?:here:\n|or open )(\S+)/.exec(login.err())?.[1] ?? '';
      await signInAs('dana', url);
      const { code, out } = await login.ended;
      expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^Signed in as dana for (1h|59m .*)\. /) });
      const { mode } = (await import('node:fs')).statSync(join(cwd, 'state/sallyport/login.json'));
      expect(mode & 0o777).toBe(0o600);
      const token = await cli('token');
      expect(token).toMatchObject({ code: 0, out: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) });
      // Dana sees what she may approve, and nobody's sessions.
      expect(JSON.parse((await cli('sessions', 'list', '--format', 'json')).out)).toEqual([]);
      expect(JSON.parse((await cli('approvals', 'list', '--state', 'waiting', '--format', 'json')).out)).toHaveLength(1);
      expect(await cli('login', '--out')).toMatchObject({ code: 0 });
      expect(existsSync(join(cwd, 'state/sallyport/login.json'))).toBe(false);
      expect(await cli('token')).toMatchObject({ code: 2 });
    },
  );

  it('an issuer that is away: exit 3', async () => {
    expect(await bare('login', '--issuer', 'http://127.0.0.1:9')).toMatchObject({ code: 3, err: expect.stringContaining('127.0.0.1:9') });
  });
});
