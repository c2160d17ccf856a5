/** What scripts go by (Interface, Command line). */
export const EXIT = {
  done: 0,
  /** Found something: differences, a verification that failed, a denial. */
  found: 1,
  /** Wrong use or configuration. */
  usage: 2,
  /** Can't reach a service. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command: one clear line on stderr, what to do on the next, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly hint: string | undefined;

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions & { readonly hint?: string },
  ) {
    super(message, options);
    this.hint = options?.hint;
  }
}

export function wrongUse(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, message, hint === undefined ? {} : { hint });
}
