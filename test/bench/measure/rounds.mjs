import { median, spread } from './spread.mjs';

/**
 * Runs every case once per round, its peers one right after the other, and another one first in each round: what disturbs the
 * machine for a while disturbs them all.
 *
 * A case is `{ work, clients, peers: [{ name, run }] }`; `run()` resolves with `{ perSecond, … }`, numbers throughout. A peer that
 * fails is left out from there on and its row has `error`. Ratios to a baseline are of the same round, then the median.
 */
export async function interleaved({ cases, rounds, baselines, say }) {
  const started = Date.now();
  const runs = cases.flatMap((one) => one.peers.map((peer) => ({ ...one, peer, samples: [], error: undefined })));
  for (let round = 0; round < rounds; round++) {
    for (const { work, clients, peers } of cases) {
      const turn = peers.map((_, i) => peers[(i + round) % peers.length]);
      for (const peer of turn) {
        const run = runs.find((one) => one.work === work && one.clients === clients && one.peer === peer);
        if (run.error !== undefined) continue;
        try {
          run.samples.push(await peer.run());
        } catch (error) {
          run.error = error.message;
          say(`${work}, ${clients} clients, ${peer.name}: ${error.message}`);
        }
      }
    }
    say(`round ${round + 1} of ${rounds}, ${Math.round((Date.now() - started) / 1000)} s`);
  }
  return runs.map((run) => row(run, runs, baselines));
}

function row({ work, clients, peer, samples, error }, runs, baselines) {
  const of = (name) => runs.find((one) => one.work === work && one.clients === clients && one.peer.name === name)?.samples ?? [];
  const ratios = {};
  for (const baseline of baselines) {
    const others = of(baseline);
    const perRound = samples.flatMap(({ perSecond }, round) => (others[round] ? [perSecond / others[round].perSecond] : []));
    if (perRound.length > 0) ratios[baseline] = median(perRound);
  }
  const measures = [...new Set(samples.flatMap(Object.keys))];
  return {
    work,
    clients,
    peer: peer.name,
    ...(error === undefined ? {} : { error }),
    ...Object.fromEntries(measures.map((name) => [name, spread(samples.map((sample) => sample[name]))])),
    ratios,
    samples,
  };
}
