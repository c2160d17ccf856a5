import type { Writable } from 'node:stream';

/** Where a command reads from and writes to, so that it can be run in a test. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Colour on stdout: a terminal, and nobody said NO_COLOR (no-color.org). */
  readonly color: boolean;
  /** Of the terminal; undefined when there is none. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted at SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** The exit code of a command that ran to its end; done when it isn't called. */
  readonly exit: (code: number) => void;
}

export function processIo(signal: AbortSignal): Io {
  const { stdout, stderr, env } = process;
  return {
    out: writer(stdout),
    err: writer(stderr),
    color: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    // Some terminals say 0.
    columns: (stdout.isTTY && stdout.columns) || undefined,
    env,
    cwd: process.cwd(),
    signal,
    exit: (code) => void (process.exitCode = code),
  };
}

function writer(stream: Writable): (text: string) => void {
  return (text) => void stream.write(text);
}

export type Paint = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>>;

/** Terminal colours (ECMA-48 SGR), or none. */
export function paint(color: boolean): Paint {
  const sgr =
    (on: number, off: number) =>
    (text: string): string =>
      color && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), green: sgr(32, 39), yellow: sgr(33, 39), cyan: sgr(36, 39) };
}

/**
 * Text that came from agents and targets, for a terminal: control characters and what turns the reading direction are shown, not
 * obeyed (CWE-150).
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, (character) =>
    character === '\n' || character === '\t' || character === '\r' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** At most `width` characters on one line. */
export function cut(text: string, width: number): string {
  const line = printable(text).replaceAll(/ {2,}/g, ' ').trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}…`;
}
