import { request as httpRequest } from 'node:http';
import { type Evidence, verifyEvidence } from '@sallyport/ledger';
import type { RebuildState } from './projections.port.js';
import { type Answer, LOCAL_TOKEN, testConsole, type TestConsole } from './testing.js';

let test: TestConsole;
/** The rebuild that the projector tells of, and why it can't be asked now. */
let rebuild: RebuildState | null = null;
let refused: Error | undefined;

beforeAll(async () => {
  test = await testConsole({
    projections: {
      status: async () => ({
        topics: [{ topic: 'sallyport.sessions.v1', partition: 0, next: 3n, end: 4n, lag: 1n }],
        checkpoints: [{ log: 'sallyport.sessions.v1/0', signed: 3, state: 'signing', failure: null }],
        rebuilding: rebuild?.state === 'running',
        rebuild,
        notReady: [],
      }),
      async rebuild(id) {
        if (refused) throw refused;
        if (rebuild?.state !== 'running')
          rebuild = { id, state: 'running', started: '2026-01-02T03:04:05.000Z', ended: null, failure: null };
        return rebuild;
      },
    },
    limits: { pageMaxRows: 5, bodyMaxBytes: 2000, maxLiveClientsPerPrincipal: 2, liveClientMaxBytes: 40_000 },
  });
  await test.write(
    { id: 's-1', run: 'run-7' },
    { id: 's-2', end: 'open', waiting: true },
    { id: 's-3', subject: 'agent-analyst', operations: 3 },
    { id: 's-4', subject: 'agent-analyst', end: 'aborted' },
  );
});
afterAll(() => test.stop());

const call: TestConsole['call'] = (...asked) => test.call(...asked);

const ids = ({ body }: Answer): string[] => (body.items as { id: string }[]).map(({ id }) => id).sort();

describe('signing in', () => {
  it('refuses who has no token, a wrong one, or one for somebody else, as problem+json', async () => {
    const foreign = await test.issuer.tokenFor('dana', { audience: 'elsewhere' });
    for (const token of [undefined, 'nonsense', foreign, `${LOCAL_TOKEN}x`]) {
      const answer = await call('sessions', token);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer.body).toMatchObject({ type: 'urn:sallyport:problem:unauthenticated', status: 401, code: 'UNAUTHENTICATED' });
      expect(JSON.stringify(answer.body)).not.toContain(token ?? 'undefined');
    }
  });

  it('gives the operator of this machine everything to read, and no approval', async () => {
    expect(ids(await call('sessions', 'local'))).toEqual(['s-1', 's-2', 's-3', 's-4']);
    const answer = await call('approvals/s-2-h1/grant', 'local', {});
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(test.answers).toEqual([]);
  });
});

describe('sessions', () => {
  it('shows everybody their own, and roles all of them', async () => {
    expect(ids(await call('sessions', 'agent-analyst'))).toEqual(['s-3', 's-4']);
    expect(ids(await call('sessions', 'sam'))).toEqual(['s-1', 's-2', 's-3', 's-4']);
    expect(ids(await call('sessions', 'dana'))).toEqual([]);
    expect(ids(await call('sessions?principal=crew-stock', 'agent-analyst'))).toEqual([]);
  });

  it('looks the same for a session that is not there and one of somebody else', async () => {
    const [missing, foreign] = [await call('sessions/s-99', 'agent-analyst'), await call('sessions/s-1', 'agent-analyst')];
    expect(missing).toMatchObject({ status: 404, body: foreign.body });
    expect((await call('sessions/s-1/events', 'agent-analyst')).status).toBe(404);
    expect((await call('sessions/s-1/export', 'agent-analyst')).status).toBe(404);
    expect((await call('sessions/s-3', 'agent-analyst')).status).toBe(200);
  });

  it('has the fields of the interface', async () => {
    const { body } = await call('sessions/s-1', 'sam');
    expect(body).toMatchObject({ id: 's-1', principal: 'crew-stock', resource: 'shop', state: 'closed', run: 'run-7', operations: 1 });
    expect(Date.parse(body.closed)).toBeGreaterThan(Date.parse(body.opened));
  });

  it('filters, and pages without gaps or repeats', async () => {
    expect(ids(await call('sessions?state=open', 'sam'))).toEqual(['s-2']);
    expect(ids(await call('sessions?run=run-7', 'sam'))).toEqual(['s-1']);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const answer = await call(`sessions?limit=1${cursor}`, 'sam');
      seen.push(...ids(answer));
      if (answer.body.next === null) break;
      cursor = `&cursor=${encodeURIComponent(answer.body.next)}`;
    }
    expect(seen.sort()).toEqual(['s-1', 's-2', 's-3', 's-4']);
  });

  it('pages through events in their order, and gives them as they are', async () => {
    const events: { sequence: number; id: string; type: string; data: unknown }[] = [];
    for (let cursor = ''; ;) {
      const { body } = await call(`sessions/s-3/events?limit=100${cursor}`, 'agent-analyst');
      expect(body.items.length).toBeLessThanOrEqual(5);
      events.push(...body.items);
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index));
    expect(events[0]).toMatchObject({ id: 's-3:0', type: 'session.opened', data: { session: 's-3' } });
    expect(events.at(-1)).toMatchObject({ type: 'session.closed' });
  });

  it('says what is wrong with a question', async () => {
    for (const query of [
      'state=sleeping',
      'limit=0',
      'limit=x',
      'cursor=made-up',
      'state=open&state=closed',
      'since=yesterday',
      `run=${'x'.repeat(300)}`,
    ]) {
      expect(await call(`sessions?${query}`, 'sam')).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    }
    expect(await call('sessions/s-1/events?cursor=x', 'sam')).toMatchObject({ status: 400 });
    expect(await call('nowhere', 'sam')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('P6: exports evidence that proves itself', async () => {
    const { body } = await call('sessions/s-3/export', 'agent-analyst');
    const evidence = { ...body, 'events.jsonl': Buffer.from(body['events.jsonl']) } as Evidence;
    const report = verifyEvidence(evidence, { trusted: [test.edgeKey, test.ledgerKey], origin: 'given' });
    expect(report).toMatchObject({ integrity: { ok: true }, completeness: { ok: true }, uncovered: 0 });
    expect(report.events).toBe(body['events.jsonl'].trim().split('\n').length);
    evidence['events.jsonl'][200]! ^= 1;
    expect(verifyEvidence(evidence, { trusted: [test.edgeKey, test.ledgerKey], origin: 'given' }).integrity.ok).toBe(false);
  });
});

describe('approvals', () => {
  it('has the fields of the interface, for who may approve and who asked', async () => {
    for (const who of ['dana', 'crew-stock', 'sam']) {
      const { body } = await call('approvals?state=waiting', who);
      expect(body.items).toHaveLength(1);
      expect(body.items[0]).toMatchObject({
        id: 's-2-h1',
        state: 'waiting',
        session: 's-2',
        principal: 'crew-stock',
        operation: 'UPDATE stock SET n = $1 WHERE id = $2',
        groups: ['dba'],
        needed: 1,
        given: 0,
      });
      expect(Date.parse(body.items[0].expires)).toBeGreaterThan(Date.now());
    }
    expect((await call('approvals', 'agent-analyst')).body.items.map(({ session }: { session: string }) => session)).not.toContain('s-2');
    expect((await call('approvals/s-2-h1', 'agent-analyst')).status).toBe(404);
  });

  it('hands the answer on with the approver’s own token', async () => {
    const answer = await call('approvals/s-2-h1/grant', 'dana', { comment: 'stocktaking' });
    expect(answer).toMatchObject({ status: 200, body: { id: 's-2-h1', answer: 'grant', by: 'dana', given: 1, needed: 1 } });
    const shown = { hold: 's-2-h1', session: 's-2', hash: 'ab'.repeat(32), token: test.tokens['dana'] };
    expect(test.answers.at(-1)).toEqual({ ...shown, answer: 'grant', comment: 'stocktaking' });
    expect((await call('approvals/s-2-h1/deny', 'dana', '')).body).toMatchObject({ answer: 'deny' });
    expect(test.answers.at(-1)).toEqual({ ...shown, answer: 'deny' });
  });

  it('is refused before it is handed on to nobody’s use', async () => {
    const before = test.answers.length;
    expect((await call('approvals/s-2-h1/grant', 'crew-stock', {})).status).toBe(403);
    expect((await call('approvals/s-2-h1/grant', 'sam', {})).status).toBe(403);
    expect((await call('approvals/nothing/grant', 'dana', {})).status).toBe(404);
    expect((await call('approvals/s-2-h1/grant', 'dana', '{"comment":')).status).toBe(400);
    expect((await call('approvals/s-2-h1/grant', 'dana', { comment: 'x'.repeat(3000) })).status).toBe(413);
    expect(test.answers).toHaveLength(before);
  });

  it.each([
    ['NO_SUCH_HOLD', 409],
    ['GIVEN_ALREADY', 409],
    ['NOT_ALLOWED', 403],
    ['TOKEN', 401],
  ] as const)('tells what the decision service says: %s', async (code, status) => {
    test.answerWith({ ok: false, code, message: 'that is how it is' });
    expect(await call('approvals/s-2-h1/grant', 'dana', {})).toMatchObject({ status, body: { detail: 'that is how it is' } });
    test.answerWith({ ok: true, hold: '', by: 'dana', given: 1, needed: 1 });
  });
});

describe('the other lists', () => {
  it('are for roles', async () => {
    for (const path of ['leases', 'principals', 'runs', 'resources', 'policy']) {
      expect(await call(path, 'local')).toMatchObject({ status: 200 });
      expect(await call(path, 'agent-analyst')).toMatchObject({ status: 403 });
    }
    const { body } = await call('principals', 'sam');
    expect(body.items.map(({ principal, sessions }: Record<string, unknown>) => [principal, sessions])).toEqual([
      ['agent-analyst', 2],
      ['crew-stock', 2],
    ]);
    expect((await call('runs/run-7', 'sam')).body).toMatchObject({ id: 'run-7', sessions: 1 });
    expect((await call('runs/run-8', 'sam')).status).toBe(404);
    expect((await call('resources', 'sam')).body.items).toEqual([expect.objectContaining({ name: 'shop', kind: 'postgres' })]);
  });
});

describe('projections', () => {
  it('tells how far they are, to roles', async () => {
    expect((await call('projections', 'local')).body).toMatchObject({
      topics: [{ next: 3, end: 4, lag: 1 }],
      rebuilding: false,
      rebuild: null,
    });
    expect((await call('projections', 'dana')).status).toBe(403);
  });

  it('P7: rebuilds once at a time, and keeps how it went', async () => {
    expect((await call('projections/rebuild', 'dana', {})).status).toBe(403);
    const { status, body } = await call('projections/rebuild', 'local', {});
    expect({ status, body }).toMatchObject({ status: 202, body: { state: 'running' } });
    expect((await call('projections/rebuild', 'local', {})).status).toBe(409);
    expect((await call('projections', 'local')).body).toMatchObject({ rebuilding: true, rebuild: { id: body.id, state: 'running' } });
    rebuild = { ...rebuild!, state: 'failed', failure: 'STORE_UNREACHABLE' };
    expect((await call('projections', 'local')).body).toMatchObject({ rebuilding: false, rebuild });
    expect((await call('projections/rebuild', 'local', {})).status).toBe(202);
  });

  it('say so when the projector can not be asked', async () => {
    refused = Object.assign(new Error('no'), { code: 'BUS_REQUEST_TIMEOUT' });
    const { status, body } = await call('projections/rebuild', 'local', {});
    expect({ status, detail: body.detail as string }).toEqual({ status: 503, detail: expect.stringContaining('BUS_REQUEST_TIMEOUT') });
  });
});

describe('the live stream', () => {
  async function follow(query: string, who: string) {
    const stop = new AbortController();
    const token = who === 'local' ? LOCAL_TOKEN : test.tokens[who];
    const response = await fetch(`${test.url}/api/v1/events?follow${query}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: stop.signal,
    });
    let text = '';
    const done = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    return { response, text: () => text, done, stop: () => stop.abort() };
  }
  const until = async (condition: () => boolean): Promise<void> => {
    for (let tries = 0; !condition() && tries < 400; tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(condition()).toBe(true);
  };

  it('carries events as they are written, of all sessions or of one', async () => {
    const [all, one] = [await follow('', 'local'), await follow('&session=s-2', 'crew-stock')];
    expect(all.response.headers.get('content-type')).toContain('text/event-stream');
    await test.write({ id: 's-5', operations: 1 });
    await until(() => all.text().includes('event: session.closed'));
    const data = /^data: (.*)$/m.exec(all.text())?.[1] ?? '';
    expect(JSON.parse(data)).toMatchObject({ id: 's-5:0', type: 'session.opened' });
    expect(one.text()).not.toContain('s-5');
    all.stop();
    one.stop();
    await Promise.all([all.done, one.done]);
  });

  it('is of one’s own sessions without a role', async () => {
    expect((await call('events?follow', 'agent-analyst')).status).toBe(403);
    expect((await call('events?follow&session=s-1', 'agent-analyst')).status).toBe(404);
    expect((await call('events', 'sam')).status).toBe(400);
  });

  it('P9: refuses more streams than one principal may have', async () => {
    const open = [await follow('', 'sam'), await follow('', 'sam')];
    expect(await call('events?follow', 'sam')).toMatchObject({ status: 429, body: { code: 'BUSY' } });
    const other = await follow('', 'local');
    expect(other.response.status).toBe(200);
    for (const stream of [...open, other]) stream.stop();
    await Promise.all([...open, other].map(({ done }) => done));
  });

  it('P9: cuts off a reader that is too slow, with the reason, and nobody else', async () => {
    // The log hands on more at once than may wait: nobody can have read the first of it when the last comes.
    const slow = await follow('', 'local');
    await test.write({ id: 's-6', operations: 100 });
    await until(() => slow.text().includes('event: end'));
    expect(slow.text()).toMatch(/event: end\ndata: \{"reason":"slow/);
    await slow.done;
    expect((await call('sessions', 'sam')).status).toBe(200);
  });
});

describe('the front door', () => {
  /** `fetch` sets the host itself. */
  function raw(headers: Record<string, string>): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const [host, port] = test.console.address.split(':');
      const request = httpRequest(
        { host, port, path: '/api/v1/sessions', headers: { authorization: `Bearer ${LOCAL_TOKEN}`, ...headers } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', reject);
      request.end();
    });
  }

  it('knows its own names only, and no page of another origin', async () => {
    const { address } = test.console;
    const port = address.split(':')[1] ?? '';
    expect(await raw({ host: address })).toBe(200);
    expect(await raw({ host: `localhost:${port}` })).toBe(200);
    expect(await raw({ host: `evil.example:${port}` })).toBe(421);
    expect(await raw({ host: address, origin: 'https://evil.example' })).toBe(403);
    expect(await raw({ host: address, origin: `http://${address}` })).toBe(200);
  });

  it('sends security headers and no CORS, also with a refusal', async () => {
    for (const answer of [await call('sessions', 'sam'), await call('sessions', undefined), await call('nowhere', 'sam')]) {
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('x-powered-by')).toBeNull();
    }
  });
});
