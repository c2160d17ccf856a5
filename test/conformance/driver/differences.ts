import { readFileSync } from 'node:fs';

/** A difference that is known, with its reason. One that isn't listed fails the test, and so does one that is listed and no longer occurs. */
export interface KnownDifference {
  /** A regular expression for the names of the scripts in which it shows. */
  readonly script: string;
  /** Only with this version of the target. */
  readonly target?: string;
  /** A regular expression for the step: its first line. */
  readonly step: string;
  /** A regular expression for what is told through the edge. */
  readonly edge: string;
  readonly reason: string;
}

export interface Difference {
  readonly script: string;
  readonly step: string;
  readonly direct: string;
  readonly edge: string;
}

export class KnownDifferences {
  readonly #entries: {
    readonly known: KnownDifference;
    readonly script: RegExp;
    readonly step: RegExp;
    readonly edge: RegExp;
    count: number;
  }[];

  constructor(known: readonly KnownDifference[]) {
    this.#entries = known.map((one) => ({
      known: one,
      script: new RegExp(`^(?:${one.script})$`),
      step: new RegExp(one.step),
      edge: new RegExp(one.edge, 's'),
      count: 0,
    }));
  }

  /** Those of a file beside the specs that concern a version of the target. */
  static read(name: string, version: string): KnownDifferences {
    const all = JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as KnownDifference[];
    return new KnownDifferences(all.filter(({ target = version }) => target === version));
  }

  /** Those that nobody knows of. */
  unknown(differences: readonly Difference[]): readonly Difference[] {
    return differences.filter((difference) => {
      const entry = this.#entries.find(
        ({ script, step, edge }) => script.test(difference.script) && step.test(difference.step) && edge.test(difference.edge),
      );
      if (entry) entry.count++;
      return !entry;
    });
  }

  /** Those that are listed for one of these scripts and did not occur. */
  gone(scripts: readonly string[]): readonly KnownDifference[] {
    return this.#entries.filter(({ count, script }) => count === 0 && scripts.some((name) => script.test(name))).map(({ known }) => known);
  }
}

/** Compares step by step. A step is a line that doesn't begin with a space, and what follows up to the next one. */
export function differences(script: string, direct: readonly string[], edge: readonly string[]): readonly Difference[] {
  const one = steps(direct);
  const other = steps(edge);
  const found: Difference[] = [];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const a = one[i] ?? { step: '(nothing)', answer: '' };
    const b = other[i] ?? { step: '(nothing)', answer: '' };
    if (a.step !== b.step || a.answer !== b.answer) found.push({ script, step: a.step, direct: a.answer, edge: b.answer });
  }
  return found;
}

function steps(lines: readonly string[]): readonly { readonly step: string; readonly answer: string }[] {
  const all: { step: string; answer: string[] }[] = [];
  for (const line of lines) {
    if (!line.startsWith(' ') || all.length === 0)
      all.push({ step: line.startsWith(' ') ? '(sign-in)' : line, answer: line.startsWith(' ') ? [line] : [] });
    else all.at(-1)!.answer.push(line);
  }
  return all.map(({ step, answer }) => ({ step, answer: answer.join('\n') }));
}

/** For people to read. */
export function shown({ step, direct, edge }: Difference): string {
  return `${step}\n  directly:\n${direct}\n  through the edge:\n${edge}\n`;
}
