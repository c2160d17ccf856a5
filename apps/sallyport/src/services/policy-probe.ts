import type { PolicyInput } from '@sallyport/verdict';

/** What a policy has to have some answer to before it goes live: nobody connects to nothing. */
export const PROBE: PolicyInput = {
  principal: { subject: 'sallyport:probe', issuer: 'sallyport:probe', provider: 'probe', kind: 'workload', groups: [], actors: [] },
  session: { id: '00000000-0000-0000-0000-000000000000', run: null, operations: 0, rows: 0, bytes: 0, denials: 0 },
  resource: { name: 'sallyport:probe', kind: 'postgres', labels: {} },
  operation: { kind: 'connect', class: 'postgres.connect', classes: ['postgres.connect'] },
  time: '2026-01-01T00:00:00Z',
};
