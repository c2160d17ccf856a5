import { TOPICS, type BusRecord, type OutgoingRecord } from '@sallyport/bus';
import { controlEvent } from '@sallyport/events';
import { heardEvent, KEY_HEADER, Once, sealKeyOf, SIGNATURE_HEADER, signRecord, writeControl, writeLease } from './index.js';
import { enrolled } from './testing.js';

const { roster, keys } = enrolled('edge/e1', 'decision/d1', 'vendor/v1', 'console/c1');
const { keys: strangers } = enrolled('console/c1', 'vendor/v1');

const REVOKED = { subject: 'agent', by: 'dana', reason: 'leaked' } as const;

async function written(
  write: (bus: { produce: (topic: string, records: readonly OutgoingRecord[]) => Promise<[]> }) => Promise<void>,
): Promise<BusRecord> {
  let found: BusRecord | undefined;
  await write({
    async produce(topic, [record]) {
      found = {
        topic,
        partition: 0,
        offset: 0n,
        timestampMs: 0,
        key: record!.key,
        value: Buffer.from(record!.value),
        headers: record!.headers ?? {},
      };
      return [];
    },
  });
  return found!;
}

const revoked = (key = keys['console/c1']) =>
  written((bus) => writeControl(bus, key, { id: 'r1', subject: 'agent', key: 'agent', timeMs: 1000 }, 'principal.revoked', REVOKED));

describe('a signed event', () => {
  it('is heard, with who has signed it', async () => {
    expect(heardEvent(roster, await revoked())).toMatchObject({
      ok: true,
      by: { name: 'console/c1', role: 'console' },
      event: { type: 'principal.revoked', source: '/console/c1', data: REVOKED },
    });
  });

  it('P10: is nothing without a signature, with a stranger’s, or with one of a key of the same name', async () => {
    const record = await revoked();
    expect(heardEvent(roster, { ...record, headers: {} })).toEqual({ ok: false, reason: 'unsigned' });
    expect(heardEvent(roster, await revoked(strangers['console/c1']))).toEqual({ ok: false, reason: 'unknown-key' });
    const forged = { ...(await revoked(strangers['console/c1'])).headers, [KEY_HEADER]: keys['console/c1'].id };
    expect(heardEvent(roster, { ...record, headers: forged })).toEqual({ ok: false, reason: 'bad-signature' });
  });

  it('P10: is nothing when a byte, the record’s key or the topic is another', async () => {
    const record = await revoked();
    const value = Buffer.from(record.value.toString().replace('agent', 'agenT'));
    for (const altered of [{ value }, { key: 'other' }, { key: null }, { topic: TOPICS.leases }]) {
      expect(heardEvent(roster, { ...record, ...altered })).toEqual({ ok: false, reason: 'bad-signature' });
    }
    expect(heardEvent(roster, { ...record, headers: { ...record.headers, [SIGNATURE_HEADER]: 'AAAA' } }).ok).toBe(false);
  });

  it('P10: is nothing from a service whose business it isn’t', async () => {
    for (const name of ['edge/e1', 'decision/d1', 'vendor/v1'] as const) {
      expect(heardEvent(roster, await revoked(keys[name]))).toEqual({ ok: false, reason: 'not-its-business' });
    }
    const lease = await written((bus) =>
      writeLease(bus, keys['edge/e1'], { id: 'l', subject: 'l', key: 'l', timeMs: 0 }, 'lease.dropped', {
        id: 'l',
        resource: 'shop',
        login: 'x',
      }),
    );
    expect(heardEvent(roster, lease)).toEqual({ ok: false, reason: 'not-its-business' });
  });

  it('P10: is nothing under another service’s name, or as another stream’s', async () => {
    const { bytes } = controlEvent({ id: 'r', source: '/console/c2', subject: 'agent' }, 'principal.revoked', REVOKED, 0);
    const said = (topic: string) => {
      const { headers = {} } = signRecord(keys['console/c1'], topic, { key: 'agent', value: bytes });
      return heardEvent(roster, { topic, partition: 0, offset: 0n, timestampMs: 0, key: 'agent', value: bytes, headers });
    };
    expect(said(TOPICS.control)).toEqual({ ok: false, reason: 'not-its-business' });
    expect(said(TOPICS.leases)).toEqual({ ok: false, reason: 'not-its-business' });
  });

  it('P10: an announcement is of the key that signed it, and of no other of the same name', async () => {
    const announcedBy = (keyId: string) =>
      written((bus) =>
        writeControl(bus, keys['vendor/v1'], { id: 'a', subject: 'vendor/v1', key: 'vendor/v1', timeMs: 0 }, 'service.announced', {
          service: 'vendor/v1',
          keyId,
          sealKey: sealKeyOf(keys['vendor/v1']),
          installation: 'i',
          version: '0.1.0',
        }),
      );
    expect(heardEvent(roster, await announcedBy(keys['vendor/v1'].id))).toMatchObject({ ok: true });
    expect(heardEvent(roster, await announcedBy(strangers['vendor/v1'].id))).toEqual({ ok: false, reason: 'not-its-business' });
  });

  it('P10: is heard under a key that UTF-8 has no bytes for', async () => {
    const record = await written((bus) =>
      writeControl(bus, keys['console/c1'], { id: 'r', subject: 'agent', key: 'agent \ud800', timeMs: 0 }, 'principal.revoked', REVOKED),
    );
    expect(heardEvent(roster, { ...record, key: Buffer.from(record.key!).toString() })).toMatchObject({ ok: true });
  });

  it('is read once, however often it comes', async () => {
    const once = new Once();
    const heard = heardEvent(roster, await revoked());
    if (!heard.ok) throw new Error(heard.reason);
    expect([once.first(heard.event), once.first(heard.event), once.first({ ...heard.event, id: 'r2' })]).toEqual([true, false, true]);
  });
});
