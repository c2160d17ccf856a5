import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from './workspace.js';

interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

interface FileReport {
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

interface Runner {
  closing(results: readonly Result[]): { line: string; exitCode: number };
  countsOf(report: { testResults: readonly FileReport[] }, exitCode: number): { passed: number; failed: number; skipped: string[] };
}

const { closing, countsOf } = (await import(pathToFileURL(join(ROOT, 'test/run.mjs')).href)) as Runner;

function file(status: 'passed' | 'failed', ...outcomes: string[]): FileReport {
  return {
    name: join(ROOT, 'libs/a/src/a.spec.ts'),
    status,
    assertionResults: outcomes.map((outcome) => ({ status: outcome, fullName: `is ${outcome}` })),
  };
}

describe('test/run.mjs', () => {
  it('adds checks and tests up, and fails when one of them failed', () => {
    const checks = { name: 'lint', passed: 1, failed: 0 };
    expect(closing([checks, { name: 'tests', passed: 5, failed: 0 }])).toMatchObject({ line: '6 passed, 0 failed', exitCode: 0 });
    expect(closing([checks, { name: 'tests', passed: 5, failed: 2 }])).toMatchObject({ line: '6 passed, 2 failed', exitCode: 1 });
    expect(
      closing([
        { name: 'lint', passed: 0, failed: 1 },
        { name: 'tests', passed: 5, failed: 0 },
      ]),
    ).toMatchObject({ exitCode: 1 });
  });

  it('fails when no test ran', () => {
    expect(closing([{ name: 'lint', passed: 1, failed: 0 }])).toMatchObject({ line: '1 passed, 1 failed', exitCode: 1 });
    expect(
      closing([
        { name: 'lint', passed: 1, failed: 0 },
        { name: 'tests', passed: 0, failed: 0 },
      ]),
    ).toMatchObject({ exitCode: 1 });
  });

  it('counts a file that could not run and a run that ended badly as failures, and names what was skipped', () => {
    expect(countsOf({ testResults: [file('passed', 'passed', 'passed', 'pending')] }, 0)).toEqual({
      passed: 2,
      failed: 0,
      skipped: ['libs/a/src/a.spec.ts: is pending'],
    });
    expect(countsOf({ testResults: [file('failed'), file('failed', 'passed', 'failed')] }, 1)).toMatchObject({ passed: 1, failed: 2 });
    expect(countsOf({ testResults: [file('passed', 'passed')] }, 1)).toMatchObject({ passed: 1, failed: 1 });
  });

  it('does not take another word for a suite', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'test/run.mjs'), 'slow'], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain('quick|clients|kafka');
  });
});
