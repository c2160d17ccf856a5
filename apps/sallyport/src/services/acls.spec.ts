import { RIGHTS } from '@sallyport/adapter-kafka';
import { SERVICE_ROLES } from '@sallyport/adapter-nest-bus';
import { REQUEST_SERVICES, TOPICS } from '@sallyport/bus';
import { WRITERS } from '@sallyport/trust';
import { CALLERS } from './asking.js';

/** Roles whose Kafka user may write the topic. */
const writersOf = (topic: string): Set<string> =>
  new Set(Object.entries(RIGHTS).flatMap(([role, { writes }]) => (writes.includes(topic) ? [role] : [])));
const readersOf = (topic: string): Set<string> =>
  new Set(Object.entries(RIGHTS).flatMap(([role, { reads }]) => (reads.includes(topic) ? [role] : [])));
/** Roles that may write some event of this stream. */
const believed = (isOf: (type: string) => boolean): Set<string> =>
  new Set(Object.entries(WRITERS).flatMap(([type, roles]) => (isOf(type) ? roles : [])));

describe('the ACLs let nobody do what would not be believed, and everybody else what they are believed in', () => {
  it.each(REQUEST_SERVICES)('%s: who may ask, and who answers', (service) => {
    const callers = new Set<string>(Object.values(CALLERS[service]).flat());
    expect(writersOf(`sallyport.${service}.requests`)).toEqual(callers);
    expect(readersOf(`sallyport.${service}.replies`)).toEqual(callers);
    expect(writersOf(`sallyport.${service}.replies`)).toEqual(new Set([SERVICE_ROLES[service]]));
    expect(readersOf(`sallyport.${service}.requests`)).toEqual(new Set([SERVICE_ROLES[service]]));
  });

  it('control and lease events', () => {
    expect(writersOf(TOPICS.leases)).toEqual(believed((type) => type.startsWith('lease.')));
    expect(writersOf(TOPICS.control)).toEqual(believed((type) => !type.startsWith('lease.')));
  });
});
