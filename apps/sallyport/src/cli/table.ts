import Table from 'cli-table3';
import { type Io, paint, printable } from './io.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  readonly right?: boolean;
  /** Gives way first when the terminal is narrow: no narrower than this. */
  readonly shrinkTo?: number;
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;
const GAP = 2;
/** Where nobody says how wide the terminal is, a cell is cut here. */
const CELL_MAX_CHARS = 60;

/** Rows under a heading, no lines around them. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], io: Pick<Io, 'color' | 'columns'>): string {
  const { bold } = paint(io.color);
  const cells = rows.map((row) => columns.map(({ value }) => printable(String(value(row) ?? '–'))));
  const widths = fit(
    columns.map(({ title }, at) => Math.max(title.length, ...cells.map((line) => line[at]?.length ?? 0))),
    columns,
    io.columns,
  );
  const table = new Table({
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
  });
  table.push(columns.map(({ title }, at) => bold(shorten(title, widths[at]))));
  for (const line of cells) table.push(line.map((cell, at) => shorten(cell, widths[at])));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** Columns that may shrink give what is too wide, the widest first. */
function fit<Row>(natural: readonly number[], columns: readonly Column<Row>[], available: number | undefined): readonly number[] {
  const widths = natural.map((width, at) => {
    const least = columns[at]?.shrinkTo;
    return least === undefined ? width : Math.min(width, Math.max(available ?? CELL_MAX_CHARS, least));
  });
  if (available === undefined) return widths;
  for (let over = widths.reduce((sum, width) => sum + width + GAP, -GAP) - available; over > 0; over -= 1) {
    let widest = -1;
    widths.forEach((width, at) => {
      const least = columns[at]?.shrinkTo;
      if (least !== undefined && width > least && (widest < 0 || width > (widths[widest] ?? 0))) widest = at;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function shorten(text: string, width = Infinity): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** The rows as JSON, an array and nothing else, or as a table; `none` says on stderr that there is nothing to show. */
export function printList<Row>(
  rows: readonly Row[],
  { columns, format, none }: { readonly columns: readonly Column<Row>[]; readonly format: ListFormat; readonly none: string },
  io: Io,
): void {
  if (format === 'json') io.out(`${JSON.stringify(rows, undefined, 2)}\n`);
  else if (rows.length === 0) io.err(`${none}\n`);
  else io.out(renderTable(rows, columns, io));
}

export type ListFormat = 'table' | 'json';
