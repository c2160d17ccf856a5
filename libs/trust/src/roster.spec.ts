import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatVerifierKeys, generateSigningKey } from '@sallyport/events';
import { checkEnrolled, fileRoster, ROSTER_MAX_AGE_MS, ROSTER_MAX_BYTES, ROSTER_STRANGER_MS, serviceOf, type TrustError } from './index.js';

const e1 = generateSigningKey('edge/e1');
const v1 = generateSigningKey('vendor/v1');

describe('the enrolled keys', () => {
  let directory: string;
  let path: string;
  let nowMs = 0;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'roster-'));
    path = join(directory, 'services.keys');
    nowMs = 1_000_000;
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are read from a file, and again when it has changed', async () => {
    await writeFile(path, `# ours\n${formatVerifierKeys([e1])}`);
    const roster = fileRoster(path, { nowMs: () => nowMs });
    expect(roster.find(e1.id)?.name).toBe('edge/e1');
    expect(roster.find(v1.id)).toBeUndefined();
    await writeFile(path, formatVerifierKeys([v1]));
    nowMs += ROSTER_MAX_AGE_MS;
    expect(roster.find(e1.id)).toBeUndefined();
    expect(roster.ofRole('vendor').map(({ id }) => id)).toEqual([v1.id]);
    expect(roster.named('vendor/v1')).toHaveLength(1);
  });

  it('are read from the *.pub files of a directory, a new one at once', async () => {
    await writeFile(join(directory, 'edge-e1.pub'), formatVerifierKeys([e1]));
    await writeFile(join(directory, 'edge-e1.pem'), 'no key');
    const roster = fileRoster(directory, { nowMs: () => nowMs });
    expect(roster.find(e1.id)).toBeDefined();
    const before = roster.version;
    await writeFile(join(directory, 'vendor-v1.pub'), formatVerifierKeys([v1]));
    expect(roster.find(v1.id)?.name).toBe('vendor/v1');
    expect(roster.version).not.toBe(before);
  });

  it('stay when the file can not be read any more, and somebody is told', async () => {
    await writeFile(path, formatVerifierKeys([e1]));
    const errors: TrustError[] = [];
    const roster = fileRoster(path, { nowMs: () => nowMs, onError: (error) => errors.push(error) });
    await writeFile(path, 'no key');
    nowMs += ROSTER_MAX_AGE_MS;
    expect(roster.find(e1.id)).toBeDefined();
    expect(errors).toMatchObject([{ code: 'TRUST_ROSTER' }]);
  });

  it('P9: are not looked at for every record of a stranger', async () => {
    await writeFile(path, formatVerifierKeys([e1]));
    const errors: TrustError[] = [];
    const roster = fileRoster(path, { nowMs: () => nowMs, onError: (error) => errors.push(error) });
    await writeFile(path, 'no key');
    for (let n = 0; n < 100; n++) expect(roster.find(n.toString(16).padStart(16, '0'))).toBeUndefined();
    expect(errors).toHaveLength(1);
    await writeFile(path, formatVerifierKeys([e1, v1]));
    nowMs += ROSTER_STRANGER_MS;
    expect(roster.find(v1.id)?.name).toBe('vendor/v1');
  });

  it('P9: must be there, be keys, and not without end', async () => {
    expect(() => fileRoster(path)).toThrow(expect.objectContaining({ code: 'TRUST_ROSTER' }));
    await writeFile(path, 'no key');
    expect(() => fileRoster(path)).toThrow(expect.objectContaining({ code: 'TRUST_ROSTER' }));
    await writeFile(path, '#'.repeat(ROSTER_MAX_BYTES + 1));
    expect(() => fileRoster(path)).toThrow(expect.objectContaining({ code: 'TRUST_ROSTER' }));
  });

  it('a service that is not among them is told what to add, and where', async () => {
    await writeFile(path, formatVerifierKeys([e1]));
    const roster = fileRoster(path);
    checkEnrolled(roster, e1, 'LINE', path);
    expect(() => checkEnrolled(roster, v1, 'LINE', path)).toThrow(`add this line to ${path}\nLINE`);
  });
});

it('a role is the first part of a key’s name', () => {
  expect(serviceOf('edge/e1')).toEqual({ name: 'edge/e1', role: 'edge' });
  for (const name of ['edge', 'edge/', '/e1', 'root/e1', 'edges/e1', '']) expect(serviceOf(name)).toBeUndefined();
});
