import { fileURLToPath } from 'node:url';
import { BusClient, BusServer } from '@sallyport/adapter-nest-bus';
import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import { generateSigningKey } from '@sallyport/events';
import { fixedRoster } from '@sallyport/trust';
import { connectInput, loadGrants, verdicts } from '@sallyport/verdict';

const BUNDLE = fileURLToPath(new URL('../../../policies/bundle', import.meta.url));
const GRANTS = `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    credential: reader
`;
const REQUEST_TIMEOUT_MS = 30_000;

/** The decision service's transport and engine on a bus, and an edge's client of it: signed both ways. */
export async function startDecisionPeer({ bus }) {
  const edge = generateSigningKey('edge/bench');
  const decision = generateSigningKey('decision/bench');
  const roster = fixedRoster([edge, decision]);
  const { wasm, manifest } = await readBundle(BUNDLE);
  const grants = loadGrants(GRANTS);
  const engine = opaWasmEngine({ wasm, entrypoints: manifest.entrypoints, data: grants.document });
  const judge = verdicts(engine, { revision: 'bench', inputPaths: manifest.inputPaths['sallyport/verdict'], cacheMaxEntries: 1 });
  const server = new BusServer({ bus, service: 'decide', key: decision, roster, callers: { decide: ['edge'] } });
  server.addHandler('decide', async (input) => judge.decide(input));
  await new Promise((resolve, reject) => void server.listen((error) => (error ? reject(error) : resolve())));
  const client = new BusClient({ bus, service: 'decide', key: edge, roster, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  await client.connect();
  return {
    async ask(question) {
      const principal = {
        subject: `agent-${question}`,
        issuer: 'bench',
        provider: 'bench',
        kind: 'workload',
        groups: ['agents'],
        actors: [],
      };
      const resource = { name: 'shop', kind: 'postgres', labels: {} };
      const verdict = await client.request(
        'decide',
        connectInput({ principal, session: `s-${question}`, run: null, resource, nowMs: Date.now() }),
      );
      if (verdict.decision !== 'allow') throw new Error(`the decision was ${verdict.decision}`);
    },
    async stop() {
      await client.close();
      await server.close();
    },
  };
}
