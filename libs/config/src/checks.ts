import { isLoopback } from './address.js';
import type { Config, ResourceConfig } from './config.js';
import type { Path } from './paths.js';
import type { Mistake } from './problems.js';
import { isLiteral, type SecretRef, secretFileProblem } from './secrets.js';

/** What no single value shows: names that clash, bytes that would travel in the clear, limits that contradict each other. */
export function checkConfig(config: Config): Mistake[] {
  return [...checkListeners(config), ...checkProviders(config), ...checkBus(config), ...checkResources(config), ...checkLimits(config)];
}

/** What forbids `--dev`, one sentence each: the development issuer signs in whoever asks, so nobody else may reach this edge. */
export function checkDev(config: Config): readonly string[] {
  return listeners(config)
    .filter(({ address }) => !isLoopback(address.host))
    .map(({ name, address }) => `--dev needs loopback listeners only, and listen.${name} is at ${address.host}`);
}

/** What this build can't serve yet, one sentence each. Starting must refuse rather than leave it out. */
export function notYet(config: Config): readonly string[] {
  const found: string[] = [];
  if (config.listen.ssh) found.push('listen.ssh: SSH is not served by this version');
  if (config.listen.metrics.tls) found.push('listen.metrics.tls: metrics are served without TLS by this version; use a loopback address');
  if (config.listen.http) found.push('listen.http: HTTP is not served by this version');
  for (const provider of config.identity.providers) {
    if (provider.kind === 'saml') found.push(`identity provider ${provider.name}: SAML is not served by this version`);
  }
  for (const resource of config.resources) {
    if (resource.kind !== 'postgres') found.push(`resource ${resource.name}: kind ${resource.kind} is not served by this version`);
    if (resource.audit.mode === 'best_effort')
      found.push(`resource ${resource.name}: audit.mode best_effort is not served by this version`);
    if (resource.audit.durability === 'replicated' && config.bus.kind === 'embedded') {
      found.push(`resource ${resource.name}: audit.durability replicated needs bus kafka`);
    }
  }
  for (const { path, ref } of secretsOf(config)) {
    if (ref.kind === 'vault' || ref.kind === 'aws-secrets-manager')
      found.push(`${path.join('.')}: secrets from ${ref.kind} are not served by this version`);
  }
  return found;
}

/** What works and should not stay so. */
export function warnings(config: Config): Mistake[] {
  const found: Mistake[] = [];
  for (const { path, ref } of secretsOf(config)) {
    if (isLiteral(ref)) found.push({ path, message: 'a secret in the configuration file: use { env: NAME } or { file: PATH }' });
    const problem = ref.kind === 'file' ? secretFileProblem(ref.path) : undefined;
    if (problem) found.push({ path, message: problem });
  }
  for (const [i, resource] of config.resources.entries()) {
    if (resource.kind === 'postgres' && resource.tls.mode === 'require') {
      found.push({
        path: ['resources', i, 'tls'],
        message: 'require checks no certificate: who stands in between can read along; use verify-full',
      });
    }
  }
  for (const { name, tls } of listeners(config)) {
    const problem = tls && secretFileProblem(tls.key);
    if (problem) found.push({ path: ['listen', name, 'tls', 'key'], message: problem });
  }
  if (config.identity.providers.length === 0 && !config.identity.dev) {
    found.push({ path: ['identity'], message: 'no identity provider: nobody can sign in without --dev' });
  }
  if (config.bus.kind === 'kafka' && !config.bus.tls && !config.bus.brokers.every((broker) => isLoopback(hostOf(broker))))
    found.push({ path: ['bus', 'kafka', 'tls'], message: 'without tls whoever is on the way can read the record' });
  if (config.policy.grants === undefined)
    found.push({ path: ['policy'], message: 'no grants: without a policy of your own everything is denied' });
  return found;
}

function listeners({ listen }: Config) {
  const entries = (['postgres', 'http', 'console', 'metrics'] as const).map((name) => ({ name, listener: listen[name] }));
  const tcp = entries.flatMap(({ name, listener }) => (listener ? [{ name, address: listener.address, tls: listener.tls }] : []));
  return listen.ssh ? [...tcp, { name: 'ssh' as const, address: listen.ssh.address, tls: undefined }] : tcp;
}

function checkListeners(config: Config): Mistake[] {
  const found: Mistake[] = [];
  const taken = new Map<string, string>();
  for (const { name, address, tls } of listeners(config)) {
    const path = ['listen', name, 'address'];
    // SSH encrypts by itself.
    if (!tls && name !== 'ssh' && !isLoopback(address.host)) {
      found.push({ path, message: `a listener that others can reach needs tls: { cert: …, key: … }; without it use a loopback address` });
    }
    const key = `${address.host}:${address.port}`;
    const other = taken.get(key);
    if (address.port !== 0 && other !== undefined) found.push({ path, message: `listen.${other} is at ${key} already` });
    taken.set(key, name);
  }
  return found;
}

function checkProviders({ identity }: Config): Mistake[] {
  const found = repeated(identity.providers, ['identity', 'providers']);
  const issuers = new Set<string>();
  for (const [i, provider] of identity.providers.entries()) {
    if (provider.kind !== 'oidc') continue;
    const { issuer, jwksUri, kind } = provider.oidc;
    const path = ['identity', 'providers', i, 'oidc'];
    if (!isSafeUrl(issuer)) found.push({ path: [...path, 'issuer'], message: 'expected https: plain http is for loopback addresses only' });
    if (/[?#]/.test(issuer)) found.push({ path: [...path, 'issuer'], message: 'expected an issuer without query and fragment' });
    if (jwksUri !== undefined && !isSafeUrl(jwksUri)) {
      found.push({ path: [...path, 'jwksUri'], message: 'expected https: plain http is for loopback addresses only' });
    }
    if (issuers.has(issuer)) found.push({ path: [...path, 'issuer'], message: 'another provider has this issuer already' });
    issuers.add(issuer);
    if (kind && kind.workload.length + kind.person.length === 0) {
      found.push({ path: [...path, 'kind'], message: 'expected at least one value for workload or person' });
    }
  }
  return found;
}

/** What the topics on Kafka take. */
const KAFKA_RECORD_MAX_BYTES = 2 ** 20;

function checkBus({ bus, limits }: Config): Mistake[] {
  if (bus.kind !== 'kafka') return [];
  const found: Mistake[] = [];
  if (limits.recordMaxBytes > KAFKA_RECORD_MAX_BYTES)
    found.push({ path: ['limits', 'recordMaxBytes'], message: 'expected at most 1MiB: the topics on Kafka take no larger records' });
  const { sasl } = bus;
  if (sasl?.mechanism === 'oauthbearer' && !isSafeUrl(sasl.tokenEndpoint))
    found.push({ path: ['bus', 'kafka', 'sasl', 'tokenEndpoint'], message: 'expected https: plain http is for loopback addresses only' });
  if (sasl?.mechanism === 'plain' && !bus.tls && !bus.brokers.every((broker) => isLoopback(hostOf(broker))))
    found.push({ path: ['bus', 'kafka', 'sasl'], message: 'plain sends the password as it is: it needs tls' });
  return found;
}

function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':'));
}

function checkResources({ resources }: Config): Mistake[] {
  const found = repeated(resources, ['resources']);
  for (const [i, resource] of resources.entries()) {
    if (resource.kind === 'postgres') {
      const { address, tls } = resource;
      if (tls.mode === 'disable' && address.kind === 'tcp' && !isLoopback(address.host)) {
        found.push({ path: ['resources', i, 'tls'], message: 'tls can only be disabled for loopback addresses and sockets' });
      }
      if (tls.ca !== undefined && (tls.mode === 'disable' || tls.mode === 'require')) {
        found.push({
          path: ['resources', i, 'tls', 'ca'],
          message: `tls mode ${tls.mode} checks no certificate: use verify-ca or verify-full`,
        });
      }
    } else if ('url' in resource && !isSafeUrl(resource.url)) {
      found.push({ path: ['resources', i, 'url'], message: 'expected https: plain http is for loopback addresses only' });
    }
    if (resource.kind !== 'postgres' && Object.keys(resource.credential).length !== 1) {
      found.push({ path: ['resources', i, 'credential'], message: 'expected exactly one credential' });
    }
  }
  return found;
}

function checkLimits({ limits }: Config): Mistake[] {
  const found: Mistake[] = [];
  const atMost = (small: keyof typeof limits, large: keyof typeof limits) => {
    if (limits[small] > limits[large]) {
      found.push({
        path: ['limits', small.replace(/Ms$/, '')],
        message: `expected at most ${large.replace(/Ms$/, '')}, which is ${limits[large]}`,
      });
    }
  };
  atMost('maxStartupBytes', 'maxFrameBytes');
  atMost('maxTokenBytes', 'maxFrameBytes');
  atMost('maxSessionsPerPrincipal', 'maxSessions');
  atMost('maxHoldsPerPrincipal', 'maxHolds');
  atMost('spoolReserveBytes', 'spoolMaxBytes');
  atMost('recordMaxBytes', 'spoolMaxBytes');
  // Interface, Tokens: a withdrawn key dies within five minutes.
  if (limits.keysMaxAgeMs > 300_000) found.push({ path: ['limits', 'keysMaxAge'], message: 'expected at most 5m' });
  return found;
}

function repeated(items: readonly { readonly name: string }[], path: Path): Mistake[] {
  const seen = new Set<string>();
  return items.flatMap(({ name }, i) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    return isRepeated ? [{ path: [...path, i, 'name'], message: `the name ${name} is taken already` }] : [];
  });
}

function isSafeUrl(text: string): boolean {
  const url = new URL(text);
  return url.protocol === 'https:' || isLoopback(url.hostname);
}

function secretsOf(config: Config): readonly { readonly path: Path; readonly ref: SecretRef }[] {
  const found: { path: Path; ref: SecretRef }[] = [];
  if (config.store.kind === 'postgres') found.push({ path: ['store', 'postgres', 'url'], ref: config.store.url });
  if (config.bus.kind === 'kafka' && config.bus.sasl) {
    const { sasl } = config.bus;
    const [field, ref] =
      sasl.mechanism === 'oauthbearer' ? (['clientSecret', sasl.clientSecret] as const) : (['password', sasl.password] as const);
    found.push({ path: ['bus', 'kafka', 'sasl', field], ref });
  }
  if (config.installation) found.push({ path: ['installation', 'maskKey'], ref: config.installation.maskKey });
  for (const [i, resource] of config.resources.entries()) {
    for (const { path, ref } of credentialSecrets(resource)) found.push({ path: ['resources', i, 'credential', ...path], ref });
  }
  return found;
}

function credentialSecrets(resource: ResourceConfig): { path: Path; ref: SecretRef }[] {
  if (resource.kind === 'postgres') {
    const { credential } = resource;
    return credential.kind === 'static'
      ? [{ path: ['static', 'password'], ref: credential.password }]
      : [{ path: ['postgres-role', 'admin'], ref: credential.admin }];
  }
  return Object.entries(resource.credential).flatMap(([source, members]) =>
    Object.entries(members as Record<string, unknown>)
      .filter((member): member is [string, SecretRef] => typeof member[1] === 'object' && member[1] !== null && 'kind' in member[1])
      .map(([key, ref]) => ({ path: [source, key], ref })),
  );
}
