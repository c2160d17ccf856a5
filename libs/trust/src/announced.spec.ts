import type { ControlEvent } from '@sallyport/events';
import { AnnouncedServices, fixedRoster, sealKeyOf } from './index.js';
import { enrolled } from './testing.js';

const { roster, keys } = enrolled('edge/e1', 'vendor/v1');

function announcement(name: 'edge/e1' | 'vendor/v1', time: string): Extract<ControlEvent, { type: 'service.announced' }> {
  const key = keys[name];
  return {
    specversion: '1.0',
    id: time,
    source: `/${name}`,
    type: 'service.announced',
    subject: name,
    time,
    datacontenttype: 'application/json',
    data: { service: name, keyId: key.id, sealKey: sealKeyOf(key), installation: 'i', version: '0.1.0' },
  };
}

describe('announced services', () => {
  it('are found by role, with the key to seal to', () => {
    const services = new AnnouncedServices(roster);
    services.apply(announcement('edge/e1', '2026-01-01T00:00:00.000Z'), { name: 'edge/e1', role: 'edge' });
    services.apply(announcement('vendor/v1', '2026-01-01T00:00:01.000Z'), { name: 'vendor/v1', role: 'vendor' });
    services.apply(announcement('edge/e1', '2026-01-02T00:00:00.000Z'), { name: 'edge/e1', role: 'edge' });
    expect(services.ofRole('edge')).toMatchObject([
      { name: 'edge/e1', firstAtMs: Date.parse('2026-01-01T00:00:00.000Z'), atMs: Date.parse('2026-01-02T00:00:00.000Z') },
    ]);
    expect(services.sealKeys('vendor')).toEqual([sealKeyOf(keys['vendor/v1'])]);
    expect(services.sealKeys('decision')).toEqual([]);
  });

  it('are none when their key is not enrolled any more', () => {
    const services = new AnnouncedServices(fixedRoster([keys['vendor/v1']]));
    services.apply(announcement('edge/e1', '2026-01-01T00:00:00.000Z'), { name: 'edge/e1', role: 'edge' });
    expect(services.ofRole('edge')).toEqual([]);
  });
});
