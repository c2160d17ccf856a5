import { readFile } from 'node:fs/promises';
import { oidcIdentity } from '@sallyport/adapter-oidc';
import { openStore } from '@sallyport/adapter-postgres-store';
import type { Config, Limits } from '@sallyport/config';
import { type ConsoleLimits, createConsole, type PolicyInfo, type ResourceInfo } from '@sallyport/console';
import { AnnouncedServices } from '@sallyport/trust';
import { version } from '../version.js';
import { asking } from './asking.js';
import { busAnswers } from './bus-answers.js';
import { busProjections } from './bus-projections.js';
import { type Ground, serviceKey } from './ground.js';
import type { LiveVersion } from './live-policy.js';
import { partByPart, type Service } from './service.js';

export interface ConsoleParts {
  /** `postgres://…`. Secret. */
  readonly storeUrl: string;
}

/** The REST API for people. */
export async function startConsole(ground: Ground, parts: ConsoleParts): Promise<Service> {
  const { bus, config, installation, live, log } = ground;
  const { limits, listen } = config;
  return partByPart(log, async (stops) => {
    const identity = oidcIdentity({ providers: ground.providers, limits });
    stops.push(() => identity.close());
    const store = await openStore({
      url: parts.storeUrl,
      limits: {
        maxConnections: limits.maxStoreConnections,
        statementTimeoutMs: limits.storeStatementTimeoutMs,
        pageMaxRows: limits.consolePageMaxRows,
      },
    });
    stops.push(() => store.close());
    const party = { bus, key: await serviceKey(config, 'console'), roster: ground.roster, log };
    const answers = await asking('decide', party, limits);
    stops.push(() => answers.close());
    const projector = await asking('projector', party, limits);
    stops.push(() => projector.close());
    const announced = new AnnouncedServices(ground.roster);
    const { tls } = listen.console;
    const console = await createConsole({
      ...listen.console.address,
      store,
      bus,
      key: party.key,
      roster: ground.roster,
      announced,
      installation: installation.id,
      version: version(),
      metrics: ground.distrust,
      answer: busAnswers(answers, announced),
      identity,
      engine: live.engine,
      localToken: installation.operatorToken,
      resources: resourceInfos(config),
      policy: () => policyInfo(live.current),
      verifierKeys: async () => [...ground.roster.ofRole('edge'), ...ground.roster.ofRole('ledger')],
      limits: consoleLimits(limits),
      projections: busProjections((pattern, data) => projector.request(pattern, data)),
      ...(tls ? { tls: { cert: await readFile(tls.cert), key: await readFile(tls.key) } } : {}),
      log,
    });
    stops.push(() => console.close());
    return { listeners: { console: console.address }, metrics: async () => [], notReady: () => [], close: () => stops.run() };
  });
}

function policyInfo({ number, policy: { revision, rules, opa, grants } }: LiveVersion): PolicyInfo {
  return { number, revision, rules, opa, grants: grants.grants.map(({ name, rules: of }) => ({ name, rulesOff: of === 'off' })) };
}

function consoleLimits(limits: Limits): Partial<ConsoleLimits> {
  return {
    pageMaxRows: limits.consolePageMaxRows,
    pageScanMaxRows: limits.consolePageScanMaxRows,
    bodyMaxBytes: limits.consoleBodyMaxBytes,
    requestTimeoutMs: limits.consoleRequestTimeoutMs,
    maxConnections: limits.maxConsoleConnections,
    maxLiveClients: limits.maxLiveClients,
    maxLiveClientsPerPrincipal: limits.maxLiveClientsPerPrincipal,
    liveClientMaxBytes: limits.liveClientMaxBytes,
    exportMaxEvents: limits.exportMaxEvents,
    exportMaxBytes: limits.exportMaxBytes,
    maxExports: limits.maxExports,
  };
}

/** What people may know of the resources: where they are and how they are kept, nothing that opens them. */
function resourceInfos(config: Config): ResourceInfo[] {
  return config.resources.flatMap((resource) => {
    if (resource.kind !== 'postgres') return [];
    const { name, kind, address, labels, audit, credential } = resource;
    return [
      {
        name,
        kind,
        address: address.kind === 'unix' ? address.path : `${address.host}:${address.port}`,
        labels,
        profiles: credential.kind === 'postgres-role' ? Object.keys(credential.profiles) : [],
        audit,
      },
    ];
  });
}
