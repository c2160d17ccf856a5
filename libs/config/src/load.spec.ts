import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDev, notYet } from './checks.js';
import type { Config, PostgresResourceConfig } from './config.js';
import { DEFAULT_LIMITS, LIMITS } from './limits.js';
import { type ConfigProblem, formatProblems, loadConfig } from './load.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function load(text: string, env: Record<string, string> = {}): Config {
  const result = loadConfig({ text, baseDir: directory }, env);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.config;
}

function problems(text: string, env: Record<string, string> = {}): readonly ConfigProblem[] {
  const result = loadConfig({ text, baseDir: directory }, env);
  return result.ok ? [] : result.problems;
}

function warned(text: string): string[] {
  const result = loadConfig({ text, baseDir: directory }, {});
  return result.ok ? result.warnings.map(({ path, message }) => `${path}: ${message}`) : ['refused'];
}

const SHOP = (more = '') => `
resources:
  - name: shop
    kind: postgres
    address: 127.0.0.1:5432
    database: shop
    credential: { static: { user: app, password: { env: PW } } }
${more}`;

describe('defaults', () => {
  it('are all there for an empty file', () => {
    const config = load('');
    expect(config).toEqual(load('{}'));
    expect(config.limits).toEqual(DEFAULT_LIMITS);
    expect(config.listen.postgres).toEqual({ address: { kind: 'tcp', host: '127.0.0.1', port: 6432 } });
    expect(config).toMatchObject({
      data: join(directory, 'data'),
      bus: { kind: 'embedded' },
      store: { kind: 'embedded' },
      edge: { name: 'edge' },
      policy: { decisions: 'remote' },
      resources: [],
    });
  });

  it('P9: hold for every limit, as numbers under names with units', () => {
    expect(DEFAULT_LIMITS).toMatchObject({
      maxSessions: 10_000,
      maxFrameBytes: 16_777_216,
      maxStartupBytes: 10_000,
      signInTimeoutMs: 10_000,
      holdTimeoutMs: 900_000,
      maxTokenBytes: 16_384,
      maxParsedBytes: 262_144,
      idleTimeoutMs: 0,
    });
    expect(Object.keys(DEFAULT_LIMITS)).toHaveLength(LIMITS.length);
    for (const value of Object.values(DEFAULT_LIMITS)) expect(Number.isSafeInteger(value)).toBe(true);
    expect(load('limits: { holdTimeout: 1m, maxFrameBytes: 32MiB, maxSessions: 5000 }').limits).toEqual({
      ...DEFAULT_LIMITS,
      holdTimeoutMs: 60_000,
      maxFrameBytes: 33_554_432,
      maxSessions: 5000,
    });
  });

  it('can not be changed by who reads them', () => {
    const config = load(SHOP()) as unknown as { resources: { labels: Record<string, string> }[] };
    expect(() => config.resources.push()).toThrow(TypeError);
    expect(() => Object.assign(config.resources[0]?.labels ?? {}, { env: 'prod' })).toThrow(TypeError);
  });
});

describe('a Postgres resource', () => {
  const shop = (text: string) => load(text).resources[0] as PostgresResourceConfig;

  it('has safe defaults', () => {
    expect(shop(SHOP())).toEqual({
      name: 'shop',
      kind: 'postgres',
      address: { kind: 'tcp', host: '127.0.0.1', port: 5432 },
      database: 'shop',
      tls: { mode: 'verify-full' },
      labels: {},
      credential: { kind: 'static', user: 'app', password: { kind: 'env', name: 'PW' } },
      audit: { mode: 'strict', durability: 'disk', record: 'full' },
    });
  });

  it('may be at a socket, by its directory or itself', () => {
    for (const address of ['/var/run/postgresql', '/var/run/postgresql/.s.PGSQL.5432', 'unix:/var/run/postgresql/']) {
      const resource = shop(SHOP().replace('127.0.0.1:5432', address));
      expect(resource.address).toEqual({ kind: 'unix', path: '/var/run/postgresql/.s.PGSQL.5432' });
      expect(resource.tls).toEqual({ mode: 'disable' });
    }
  });

  it('may name an authority and roles', () => {
    const resource = shop(`
resources:
  - name: shop
    kind: postgres
    address: "[::1]:5432"
    database: shop
    databases: [shop_archive]
    tls: { ca: ./ca.pem }
    credential: { postgres-role: { admin: { file: ./admin }, ttl: 5m, profiles: { reader: [ROLE readers] } } }`);
    expect(resource).toMatchObject({
      address: { host: '::1' },
      databases: ['shop_archive'],
      tls: { mode: 'verify-full', ca: join(directory, 'ca.pem') },
      credential: {
        kind: 'postgres-role',
        ttlMs: 300_000,
        admin: { kind: 'file', path: join(directory, 'admin') },
        profiles: { reader: ['ROLE readers'] },
      },
    });
  });
});

describe('a mistake is told with its place', () => {
  const cases: [string, string, number, number, string, RegExp][] = [
    ['an unknown key', 'data: ./d\nlimit: {}', 2, 1, 'limit', /did you mean limits\?/],
    ['an unknown key below', 'listen:\n  postgers: {}', 2, 3, 'listen.postgers', /did you mean postgres\?/],
    ['an unknown key far from all others', 'policy:\n  zzz: 1', 2, 3, 'policy.zzz', /known here: path, grants, decisions/],
    ['an unknown limit', 'limits: { maxSesions: 5 }', 1, 11, 'limits.maxSesions', /did you mean maxSessions\?/],
    ['a unit in the name', 'limits: { holdTimeoutMs: 5 }', 1, 11, 'limits.holdTimeoutMs', /did you mean holdTimeout\?/],
    ['no duration', 'limits: { holdTimeout: 15 }', 1, 24, 'limits.holdTimeout', /expected a duration such as/],
    ['no size', 'limits: { maxFrameBytes: 16MB }', 1, 26, 'limits.maxFrameBytes', /expected a size such as/],
    ['a limit of nothing', 'limits: { maxSessions: 0 }', 1, 24, 'limits.maxSessions', /at least 1/],
    ['a part of a session', 'limits: { maxSessions: 1.5 }', 1, 24, 'limits.maxSessions', /whole number/],
    ['limits that contradict', 'limits: { spoolMaxBytes: 1MiB }', 1, 1, 'limits.spoolReserveBytes', /at most spoolMaxBytes/],
    ['keys that live too long', 'limits: { keysMaxAge: 1h }', 1, 23, 'limits.keysMaxAge', /at most 5m/],
    ['an empty section', 'resources:\n', 1, 11, 'resources', /expected a list, got nothing/],
    ['no address', 'listen: { postgres: { address: localhost } }', 1, 32, 'listen.postgres.address', /host:port/],
    ['a port that is none', 'listen: { postgres: { address: "127.0.0.1:70000" } }', 1, 32, 'listen.postgres.address', /host:port/],
    ['another bus', 'bus: rabbit', 1, 6, 'bus', /embedded or \{ kafka/],
    ['a mistake inside a choice', 'bus: { kafka: { brokers: [k1] } }', 1, 27, 'bus.kafka.brokers[0]', /host:port/],
    ['an unknown key inside a choice', 'bus: { kafka: { brokers: ["k1:9092"], sals: {} } }', 1, 39, 'bus.kafka.sals', /did you mean sasl/],
    ['a key twice', 'data: a\ndata: b', 2, 1, '', /unique/],
    ['no YAML', 'data: [', 1, 8, '', /./],
    ['a tag', 'data: !secret x', 1, 7, '', /tag/i],
    ['a list', '- a', 1, 1, '', /keys and values, got a list/],
    ['a variable that is not set', 'data: ./d\nedge:\n  name: "${EDGE}"', 3, 9, 'edge.name', /EDGE is not set/],
    ['no variable', 'data: "${not one}"', 1, 7, 'data', /\$\{NAME\}/],
    ['another kind', 'resources:\n  - { name: x, kind: oracle }', 2, 22, 'resources[0].kind', /one of postgres, ssh/],
    [
      'a name twice',
      `${SHOP()}  - { name: shop, kind: mcp, url: "https://t", credential: { header: { name: a, value: "\${X}" } } }`,
      8,
      13,
      'resources[1].name',
      /taken/,
    ],
    [
      'tls off to another machine',
      SHOP('    tls: disable').replace('127.0.0.1', 'db.example.com'),
      8,
      10,
      'resources[0].tls',
      /loopback addresses and sockets/,
    ],
    ['an authority that nobody checks', SHOP('    tls: { mode: require, ca: ./ca.pem }'), 8, 31, 'resources[0].tls.ca', /verify-full/],
    ['no tls mode', SHOP('    tls: verify'), 8, 10, 'resources[0].tls', /verify-full, verify-ca/],
    [
      'a missing key',
      SHOP().replace('    database: shop\n', ''),
      3,
      5,
      'resources[0].database',
      /missing: expected the name of a database/,
    ],
    [
      'two credentials',
      SHOP().replace('static:', 'postgres-role: { admin: "${A}", profiles: { r: [ROLE x] } }, static:'),
      7,
      17,
      'resources[0].credential',
      /exactly one of/,
    ],
    [
      'a secret of two places',
      SHOP().replace('{ env: PW }', '{ env: PW, file: x }'),
      7,
      50,
      'resources[0].credential.static.password',
      /exactly one of/,
    ],
    ['a secret that is none', SHOP().replace('{ env: PW }', '7'), 7, 50, 'resources[0].credential.static.password', /expected a secret/],
    [
      'no profile',
      SHOP().replace(/\{ static: .* \}/, '{ postgres-role: { admin: "${A}", profiles: {} } }'),
      7,
      61,
      'resources[0].credential.postgres-role.profiles',
      /at least one profile/,
    ],
    [
      'plain http to an issuer',
      'identity: { providers: [{ name: a, oidc: { issuer: "http://idp.example.com", audience: s } }] }',
      1,
      52,
      'identity.providers[0].oidc.issuer',
      /expected https/,
    ],
    [
      'HMAC',
      'identity: { providers: [{ name: a, oidc: { issuer: "https://i", audience: s, algorithms: [HS256] } }] }',
      1,
      91,
      'identity.providers[0].oidc.algorithms[0]',
      /expected one of RS256/,
    ],
    ['two kinds of provider', 'identity: { providers: [{ name: a }] }', 1, 25, 'identity.providers[0]', /exactly one of oidc, saml/],
    [
      'two listeners at one address',
      'listen: { metrics: { address: "127.0.0.1:8700" } }',
      1,
      31,
      'listen.metrics.address',
      /listen.console is at/,
    ],
  ];

  it.each(cases)('%s', (_name, text, line, column, path, message) => {
    const [first, ...rest] = problems(text);
    expect({ line: first?.line, column: first?.column, path: first?.path }).toEqual({ line, column, path });
    expect(first?.message).toMatch(message);
    expect(rest).toEqual([]);
  });

  it('tells all mistakes at once, in order', () => {
    const found = problems('limits: { maxSesions: 5, holdTimeout: soon }\ndata: ""\nbus: rabbit');
    expect(formatProblems(found, 'sallyport.yaml').split('\n')).toEqual([
      'sallyport.yaml:1:11 limits.maxSesions: unknown key: did you mean maxSessions?',
      'sallyport.yaml:1:39 limits.holdTimeout: expected a duration such as 500ms, 10s, 15m, 1h or 1d',
      'sallyport.yaml:2:7 data: expected the path of a directory, got an empty one',
      'sallyport.yaml:3:6 bus: expected embedded or { kafka: … }',
    ]);
  });

  it('P9: reads no file larger than a mebibyte, expands no heap of aliases, lists no more than 50', () => {
    expect(problems(`# ${'x'.repeat(1024 * 1024)}`)[0]?.message).toMatch(/larger than/);
    expect(problems(`a: &a [1]\nb: [${'*a,'.repeat(200)}]`)[0]?.message).toMatch(/aliases/);
    expect(problems(Array.from({ length: 80 }, (_, i) => `k${i}: 1`).join('\n'))).toHaveLength(50);
  });

  it('says when the file can not be read', () => {
    expect(loadConfig({ path: join(directory, 'none.yaml') }, {})).toMatchObject({
      ok: false,
      problems: [{ message: "can't be read (ENOENT)" }],
    });
  });
});

describe('listeners', () => {
  it.each(['postgres', 'http', 'console', 'metrics'])('refuses %s beyond loopback without tls', (name) => {
    for (const address of ['0.0.0.0:7000', '[::]:7000', '192.168.1.2:7000', 'edge.example.com:7000']) {
      expect(problems(`listen: { ${name}: { address: "${address}" } }`)[0]).toMatchObject({ path: `listen.${name}.address` });
    }
    expect(problems(`listen: { ${name}: { address: "0.0.0.0:7000", tls: { cert: c.pem, key: k.pem } } }`)).toEqual([]);
    expect(problems(`listen: { ${name}: { address: "localhost:7000" } }`)).toEqual([]);
  });

  it('forbids --dev beside one that others can reach', () => {
    expect(checkDev(load(''))).toEqual([]);
    const config = load('listen: { console: { address: "0.0.0.0:8700", tls: { cert: c, key: k } }, ssh: { address: "0.0.0.0:2222" } }');
    expect(checkDev(config)).toHaveLength(2);
    expect(checkDev(config)[0]).toContain('listen.console is at 0.0.0.0');
  });

  it('may share port 0, which is any free one', () => {
    expect(problems('listen: { console: { address: "127.0.0.1:0" }, metrics: { address: "127.0.0.1:0" } }')).toEqual([]);
  });
});

describe('environment and secrets', () => {
  it('puts variables into any text but secrets', () => {
    const config = load(
      `edge: { name: "edge-\${N}" }\nstore: { postgres: { url: "postgres://u:\${PW}@h/db" } }\nlimits: { holdTimeout: "\${T}" }\npolicy: { grants: "./$\${x}" }`,
      { N: '7', T: '1m' },
    );
    expect(config.edge.name).toBe('edge-7');
    expect(config.limits.holdTimeoutMs).toBe(60_000);
    expect(config.policy.grants).toBe(join(directory, '${x}'));
    expect(config.store).toEqual({ kind: 'postgres', url: { kind: 'text', text: 'postgres://u:${PW}@h/db' } });
  });

  it('P3: keeps no secret of the environment', () => {
    const config = load(SHOP().replace('{ env: PW }', '"${PW}"'), { PW: 'hunter2hunter2' });
    expect(JSON.stringify(config)).not.toContain('hunter2');
    expect(config.resources[0]?.credential).toMatchObject({ password: { kind: 'env', name: 'PW' } });
  });

  it('warns of secrets that others can read', () => {
    const open = join(directory, 'open-secret');
    writeFileSync(open, 'x');
    chmodSync(open, 0o644);
    const withSecret = (secret: string) => warned(SHOP().replace('{ env: PW }', secret)).filter((line) => line.startsWith('resources'));
    expect(withSecret('{ file: ./open-secret }')).toEqual([expect.stringContaining('chmod 600')]);
    chmodSync(open, 0o600);
    expect(withSecret('{ file: ./open-secret }')).toEqual([]);
    expect(withSecret('{ file: ./missing }')).toEqual([expect.stringContaining('is not there')]);
    expect(withSecret('hunter2')).toEqual([expect.stringContaining('in the configuration file')]);
    expect(withSecret('"${PW}"')).toEqual([]);
  });

  it('warns of a target whose certificate nobody checks', () => {
    expect(warned(SHOP('    tls: require')).filter((line) => line.startsWith('resources'))).toEqual([
      expect.stringContaining('resources[0].tls: require checks no certificate'),
    ]);
  });

  it('warns when nobody can sign in and nothing is granted', () => {
    expect(warned('')).toEqual([expect.stringContaining('identity: no identity provider'), expect.stringContaining('policy: no grants')]);
    expect(warned('identity: { dev: { principals: [{ subject: a, kind: person }] } }\npolicy: { grants: g }')).toEqual([]);
  });
});

describe('kafka', () => {
  const kafka = (more: string) => `bus: { kafka: { brokers: ["k1:9092"], ${more} } }`;

  it('has its three ways to sign in, and topics', () => {
    expect(load(kafka('tls: true')).bus).toMatchObject({ kind: 'kafka', clientId: 'sallyport', topics: { partitions: 12 } });
    expect(load(kafka('tls: true, sasl: { mechanism: plain, username: u, password: { env: PW } }')).bus).toMatchObject({
      sasl: { mechanism: 'plain', password: { kind: 'env', name: 'PW' } },
    });
    const bearer =
      'sasl: { mechanism: oauthbearer, tokenEndpoint: "https://idp/token", clientId: c, clientSecret: { env: PW }, scope: kafka }';
    expect(load(kafka(bearer)).bus).toMatchObject({ sasl: { mechanism: 'oauthbearer', clientId: 'c', scope: 'kafka' } });
  });

  const problems = (text: string) => {
    const loaded = loadConfig({ text }, {});
    return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);
  };

  it('P9: takes no events that its topics would refuse for ever', () => {
    expect(problems(`${kafka('tls: true')}\nlimits: { recordMaxBytes: 2MiB }`)).toEqual([
      'limits.recordMaxBytes: expected at most 1MiB: the topics on Kafka take no larger records',
    ]);
  });

  it('P3: sends no secret in the clear to others', () => {
    expect(problems(kafka('sasl: { mechanism: plain, username: u, password: { file: p } }'))).toEqual([
      'bus.kafka.sasl: plain sends the password as it is: it needs tls',
    ]);
    expect(
      problems(
        kafka('tls: true, sasl: { mechanism: oauthbearer, tokenEndpoint: "http://idp/token", clientId: c, clientSecret: { file: p } }'),
      ),
    ).toEqual([expect.stringContaining('expected https')]);
    expect(problems(kafka('tls: true, sasl: { mechanism: gssapi }'))).toEqual([expect.stringContaining('oauthbearer')]);
  });
});

describe('what this version does not serve', () => {
  it('is nothing of the defaults', () => {
    expect(notYet(load(SHOP()))).toEqual([]);
  });

  it('is told, not left out', () => {
    const config = load(`
bus: { kafka: { brokers: ["k1:9092"] } }
listen: { ssh: { address: "127.0.0.1:2222" }, http: { address: "127.0.0.1:8443" } }
identity: { providers: [{ name: legacy, saml: { metadata: ./idp.xml } }] }
${SHOP().replace('{ env: PW }', '{ vault: secret/shop }')}`);
    expect(notYet(config)).toEqual([
      expect.stringContaining('listen.ssh'),
      expect.stringContaining('listen.http'),
      expect.stringContaining('legacy: SAML'),
      expect.stringContaining('vault'),
    ]);
    expect(notYet(load(SHOP('    audit: { durability: replicated }')))).toEqual([expect.stringContaining('replicated needs bus kafka')]);
  });
});
