/** Policies that may not become live (promise P2): the one that is live stays, on every service, and says so. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS } from '@sallyport/bus';
import { generateSigningKey, loadOrCreateKey } from '@sallyport/events';
import { policyRecord } from '@sallyport/policy-store';
import { canonicalJson, revisionOf } from '@sallyport/verdict';
import { connect, eventually, failureOf, GRANTS, LATE } from './world.mjs';

const BUNDLE = new URL('../../../policies/bundle/', import.meta.url);
const FOLLOWERS = ['edge', 'decision', 'vendor', 'console'];

const LATE_GRANT = {
  name: 'one more',
  who: { subjects: [LATE] },
  on: { names: ['shop'] },
  allow: ['*'],
  credential: 'worker',
  rules: 'off',
};

async function cli(world, ...args) {
  const { stdout } = await world.fleet.sallyport(args, { anyCode: false });
  return stdout;
}

async function publish(world, grants) {
  const file = join(world.fleet.directory, 'published-grants.yaml');
  await writeFile(file, JSON.stringify({ grants }));
  return cli(world, 'policy', 'publish', '--grants', file);
}

const history = async (world) => JSON.parse(await cli(world, 'policy', 'log', '--format', 'json'));

/** Every service that judges by it says this number. */
function everybodyHas(world, number) {
  return eventually(async () => {
    for (const service of FOLLOWERS.flatMap((role) => world.fleet.of(role))) {
      const text = await (await fetch(`http://${service.listeners.metrics}/metrics`)).text();
      assert.match(text, new RegExp(`^sallyport_policy_number(\\{[^}]*\\})? ${number}$`, 'm'), `${service.key} is at another policy`);
    }
  }, 30_000);
}

async function candidate(grants, { wasm, manifest } = {}) {
  const files = {
    'policy.wasm': wasm ?? (await readFile(new URL('policy.wasm', BUNDLE))),
    'manifest.json': manifest ?? (await readFile(new URL('manifest.json', BUNDLE))),
  };
  const document = { grants, roles: {} };
  return { files, grants: document, revision: revisionOf(Object.values(files), canonicalJson(document)), comment: '', timeMs: Date.now() };
}

/** What is wrong with each, in the words of the log. */
async function offers(world, { live, publisher, consoleKey }) {
  const nonsense = Buffer.from('this is no module');
  const manifest = JSON.parse(await readFile(new URL('manifest.json', BUNDLE), 'utf8'));
  const forNonsense = Buffer.from(JSON.stringify({ ...manifest, sha256: createHash('sha256').update(nonsense).digest('hex') }));
  const everybody = [...GRANTS, { ...LATE_GRANT, who: { subjects: ['agent-1', LATE] }, name: 'everything' }];
  const good = { ...(await candidate(everybody)), number: live + 1 };
  const signed = policyRecord(publisher, good);
  const [first] = await world.bus.read(TOPICS.policies, 0, 0n, 1);
  const tampered = JSON.parse(signed.value.toString());
  tampered.data.grants.grants[0].who.subjects.push('everybody');
  return {
    engine: policyRecord(publisher, { ...(await candidate(GRANTS, { wasm: nonsense, manifest: forNonsense })), number: live + 1 }),
    bundle: policyRecord(publisher, { ...(await candidate(GRANTS, { wasm: nonsense })), number: live + 1 }),
    revision: policyRecord(publisher, { ...good, revision: 'a'.repeat(64) }),
    grants: policyRecord(publisher, { ...(await candidate([{ name: 'half' }])), number: live + 1 }),
    unsigned: { ...signed, headers: {} },
    'unknown-key': policyRecord(generateSigningKey(publisher.name), good),
    'bad-signature': { ...signed, value: Buffer.from(JSON.stringify(tampered)) },
    'not-a-publisher': policyRecord(consoleKey, good),
    'old-number': { key: first.key, value: first.value, headers: first.headers, timestampMs: first.timestampMs, partition: 0 },
  };
}

export const policyScenarios = [
  {
    name: 'P2: a policy that does not compile, is not signed, was altered, or is older than the live one is refused, and the live one stays',
    async run({ world }) {
      const [service] = world.fleet.of('console');
      const keys = join(service.dataDir, 'keys');
      const publisher = await loadOrCreateKey(keys, `publisher/${service.name}`);
      const consoleKey = await loadOrCreateKey(keys, `console/${service.name}`);
      const opens = () => failureOf(connect(world, LATE).then((client) => client.end()));
      assert.equal((await opens())?.code, '3D000', 'it can sign in before anybody lets it');
      const found = {};
      try {
        // Two, so that the first is an older one.
        await publish(world, [...GRANTS, { ...LATE_GRANT, name: 'for a moment' }]);
        await publish(world, [...GRANTS, LATE_GRANT]);
        const live = (await history(world)).find(({ state }) => state === 'live');
        await everybodyHas(world, live.number);
        await eventually(async () => assert.equal(await opens(), undefined));
        for (const [reason, record] of Object.entries(await offers(world, { live: live.number, publisher, consoleKey }))) {
          await world.bus.produce(TOPICS.policies, [record]);
          const last = (await history(world)).at(-1);
          assert.equal(`${last.state} ${last.reason}`, `refused ${reason}`, `${reason} is ${JSON.stringify(last)}`);
          found[reason] = last.detail;
        }
        await everybodyHas(world, live.number);
        assert.equal((await history(world)).find(({ state }) => state === 'live').number, live.number);
        assert.equal(await opens(), undefined, 'the live policy went');
        // Whoever starts now reads all of it, and comes to the same.
        for (const one of [...world.fleet.of('decision'), world.fleet.service('edge/e1')]) {
          await one.stop();
          await one.start();
        }
        await everybodyHas(world, live.number);
        assert.equal(await opens(), undefined, 'a service that was started again judges by another one');
        found.live = live.number;
      } finally {
        await publish(world, GRANTS);
      }
      await eventually(async () => assert.equal((await opens())?.code, '3D000'));
      return found;
    },
  },
];
