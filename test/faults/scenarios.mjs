/** Faults other than a kill of everything. */
import { diskScenarios } from './disk.mjs';
import { endingScenarios } from './endings.mjs';
import { neighbourScenarios } from './neighbours.mjs';
import { revocationScenarios } from './revocation.mjs';

/** @type {readonly { name: string, run: (context: { random: object, worlds: object[] }) => Promise<unknown> }[]} */
export const scenarios = [...endingScenarios, ...revocationScenarios, ...diskScenarios, ...neighbourScenarios];
