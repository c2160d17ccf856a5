import { type Bus, TOPICS } from '@sallyport/bus';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKafkaBus } from './kafka-bus.js';
import type { KafkaOptions } from './options.js';
import { eventually, freshTopics, kafkaInstalled, startKafka, type TestKafka } from './testing/index.js';

const TOPIC = TOPICS.sessions;
const LIMITS = { connectTimeoutMs: 8000, callTimeoutMs: 20_000 };
const PASSWORD = 'a password of the test';

interface Certificates {
  readonly dir: string;
  readonly ca: string;
  readonly otherCa: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** An authority, a broker's certificate for 127.0.0.1, one for a client, and an authority that nobody knows. */
function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-kafka-tls-'));
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const authority = (name: string): void =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
  const issue = (name: string, extensions: string): void => {
    writeFileSync(join(dir, `${name}.ext`), extensions);
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`);
  };
  authority('ca');
  authority('other');
  issue('broker', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  issue('client', 'extendedKeyUsage=clientAuth');
  const read = (file: string): string => readFileSync(join(dir, file), 'utf8');
  // Kafka reads key and chain from one PEM file, the key in PKCS 8.
  writeFileSync(join(dir, 'broker.all.pem'), read('broker.key') + read('broker.pem'));
  return { dir, ca: read('ca.pem'), otherCa: read('other.pem'), clientCert: read('client.pem'), clientKey: read('client.key') };
}

/** An issuer that is a file: its public key as a JWKS, and tokens signed by it. */
function makeIssuer(dir: string): { jwks: string; token(expiresInS: number): string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = join(dir, 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }] }));
  return { jwks, token: (expiresInS) => jwt(privateKey, expiresInS) };
}

function jwt(key: KeyObject, expiresInS: number): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'https://issuer.test', aud: 'kafka', sub: 'edge-1', iat: now, exp: now + expiresInS, jti: randomUUID() };
  const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

const JAAS = 'org.apache.kafka.common.security';

(kafkaInstalled() ? describe : describe.skip)('kafka bus, secured', () => {
  let kafka: TestKafka;
  let certificates: Certificates;
  let issuer: ReturnType<typeof makeIssuer>;
  let ports: Record<'TLS' | 'SASL' | 'SASL_TLS', number>;
  let open: Bus[];
  beforeAll(async () => {
    certificates = makeCertificates();
    issuer = makeIssuer(certificates.dir);
    ports = { TLS: await freePort(), SASL: await freePort(), SASL_TLS: await freePort() };
    const listeners = Object.entries(ports).map(([name, port]) => `${name}://127.0.0.1:${port}`);
    const plain = `${JAAS}.plain.PlainLoginModule required user_edge="${PASSWORD}";`;
    const scram = `${JAAS}.scram.ScramLoginModule required;`;
    const bearer = `${JAAS}.oauthbearer.OAuthBearerLoginModule required;`;
    const perListener = ['sasl', 'sasl_tls'].flatMap((name) => [
      [`listener.name.${name}.sasl.enabled.mechanisms`, 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER'],
      [`listener.name.${name}.plain.sasl.jaas.config`, plain],
      [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
      [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
      [`listener.name.${name}.oauthbearer.sasl.jaas.config`, bearer],
      [`listener.name.${name}.oauthbearer.sasl.server.callback.handler.class`, `${JAAS}.oauthbearer.OAuthBearerValidatorCallbackHandler`],
      [`listener.name.${name}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`, `file://${issuer.jwks}`],
      [`listener.name.${name}.oauthbearer.sasl.oauthbearer.expected.audience`, 'kafka'],
      [`listener.name.${name}.oauthbearer.sasl.oauthbearer.expected.issuer`, 'https://issuer.test'],
    ]);
    kafka = await startKafka({
      properties: {
        listeners: ['PLAINTEXT://127.0.0.1:@PORT@', 'CONTROLLER://127.0.0.1:@CPORT@', ...listeners].join(','),
        'advertised.listeners': ['PLAINTEXT://127.0.0.1:@PORT@', ...listeners].join(','),
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': join(certificates.dir, 'broker.all.pem'),
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': join(certificates.dir, 'ca.pem'),
        'listener.name.tls.ssl.client.auth': 'required',
        // A session ends with its token, at most after this.
        'connections.max.reauth.ms': '30000',
        ...Object.fromEntries(perListener),
      },
      formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=edge,password=${PASSWORD}]`,
      ]),
      jvmArguments: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${issuer.jwks}`],
    });
    await freshTopics({ brokers: kafka.brokers }, { [TOPIC]: 1 });
  }, 120_000);
  afterAll(async () => {
    await kafka?.stop();
    if (certificates) rmSync(certificates.dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    open = [];
  });
  afterEach(async () => {
    for (const bus of open) await bus.close();
  });

  async function carries(options: Omit<KafkaOptions, 'brokers'>, listener: keyof typeof ports): Promise<Bus> {
    const bus = await openKafkaBus({ brokers: [`127.0.0.1:${ports[listener]}`], limits: LIMITS, ...options });
    open.push(bus);
    const seen: string[] = [];
    const onBatch = async (batch: readonly { value: Buffer }[]): Promise<void> =>
      void seen.push(...batch.map(({ value }) => value.toString()));
    await bus.consume({ topic: TOPIC, start: { at: 'latest' }, onBatch });
    await bus.consume({ topic: TOPIC, group: randomUUID(), start: { at: 'latest' }, onBatch });
    await bus.produce(TOPIC, [{ key: 'k', value: Buffer.from('through') }]);
    await eventually('both consumers have it', () => seen.length === 2);
    return bus;
  }

  const refused = async (options: Omit<KafkaOptions, 'brokers'>, listener: keyof typeof ports): Promise<Error> => {
    const opening = openKafkaBus({ brokers: [`127.0.0.1:${ports[listener]}`], limits: LIMITS, ...options });
    const error: Error = await opening.then(
      (bus) => (open.push(bus), new Error('it was let in')),
      (error: Error) => error,
    );
    expect(error).toMatchObject({ code: 'BUS_FAILED' });
    return error;
  };

  const secret = { username: 'edge', password: PASSWORD };

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'SASL %s: lets in who knows the password, and says no more of it',
    async (mechanism) => {
      await carries({ sasl: { mechanism, ...secret } }, 'SASL');
      const lines: string[] = [];
      const log: KafkaOptions['log'] = (...line) => void lines.push(JSON.stringify(line));
      const { message } = await refused({ sasl: { mechanism, username: 'edge', password: 'a wrong password' }, log }, 'SASL');
      expect(message).toContain('refused the credentials');
      expect(message + lines.join('')).not.toMatch(/a wrong password|YSB3cm9uZyBwYXNzd29yZA/);
    },
  );

  it('SASL over TLS', async () => {
    await carries({ sasl: { mechanism: 'scram-sha-512', ...secret }, tls: { ca: certificates.ca } }, 'SASL_TLS');
  });

  it('SASL OAUTHBEARER: a token that the issuer signed, and no other', async () => {
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      return issuer.token(300);
    };
    await carries({ sasl: { mechanism: 'oauthbearer', token } }, 'SASL');
    expect(asked).toBeGreaterThan(0);
    const forged = makeIssuer(mkdtempSync(join(certificates.dir, 'forged-')));
    await refused({ sasl: { mechanism: 'oauthbearer', token: async () => forged.token(300) } }, 'SASL');
    await refused({ sasl: { mechanism: 'oauthbearer', token: async () => issuer.token(-300) } }, 'SASL');
  });

  it('SASL OAUTHBEARER: goes on with a new token before the old one ends', async () => {
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      return issuer.token(13);
    };
    const bus = await carries({ sasl: { mechanism: 'oauthbearer', token } }, 'SASL');
    const before = asked;
    for (const until = Date.now() + 16_000; Date.now() < until;) {
      await bus.produce(TOPIC, [{ key: 'k', value: Buffer.from('again') }]);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(asked).toBeGreaterThan(before);
  }, 90_000);

  it('TLS: shows its certificate, and believes only an authority that it was given', async () => {
    const { ca, otherCa, clientCert, clientKey } = certificates;
    await carries({ tls: { ca, cert: clientCert, key: clientKey } }, 'TLS');
    expect((await refused({ tls: { ca: otherCa, cert: clientCert, key: clientKey } }, 'TLS')).message).toMatch(/no TLS with/);
    expect((await refused({ tls: true }, 'TLS')).message).toMatch(/no TLS with/);
  });

  it('TLS: a broker that wants a certificate takes nobody without one', async () => {
    const limits = { ...LIMITS, callTimeoutMs: 1500, connectTimeoutMs: 1000 };
    await refused({ tls: { ca: certificates.ca }, limits }, 'TLS');
  });
});
