/** The report as a page: README quotes it. */
export function markdown({ bench, title, unit, note, date, revision, machine, rounds, seconds, versions, baselines, skipped, rows }) {
  const columns = [
    'work',
    'clients',
    'peer',
    `${unit}/s`,
    'spread',
    ...baselines.map((name) => `× ${name}`),
    'p50 µs',
    'p99 µs',
    'CPU µs',
    'busiest thread µs',
  ];
  const known = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `# ${title}`,
    '',
    `Measured ${date.slice(0, 10)} at ${revision} on ${machine.cpus} CPUs (${machine.model}, ${machine.platform}), Node ${machine.node.slice(1)}, ${known.join(', ')};`,
    `${rounds} interleaved ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s. Made by \`npm run bench ${bench}\`; not edited by hand.`,
    '',
    ...note.flatMap((line) => [line, '']),
    ...skipped.map(({ name, reason }) => `- skipped: ${name} (${reason})`),
    ...(skipped.length > 0 ? [''] : []),
    line(columns),
    line(columns.map((_, i) => (i === 0 || i === 2 ? '---' : '---:'))),
    ...rows.map((row) =>
      line(
        row.error === undefined || row.samples.length > 0
          ? [
              row.work,
              row.clients,
              row.peer,
              whole(row.perSecond.median),
              `±${Math.round((50 * (row.perSecond.max - row.perSecond.min)) / row.perSecond.median)} %`,
              ...baselines.map((name) => row.ratios[name]?.toFixed(2) ?? ''),
              small(row.p50Micros?.median),
              small(row.p99Micros?.median),
              small(row.cpuMicros?.median),
              small(row.busiestThreadMicros?.median),
            ]
          : [row.work, row.clients, row.peer, 'failed', '', ...baselines.map(() => ''), '', '', '', ''],
      ),
    ),
    '',
  ].join('\n');
}

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}

function whole(value) {
  return Math.round(value).toLocaleString('en-US');
}

function small(value) {
  if (value === undefined) return '';
  return value < 10 ? value.toFixed(1) : whole(value);
}
