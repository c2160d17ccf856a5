import { type Bus, type Consumption, TOPICS } from '@sallyport/bus';
import { AnnouncedServices, followTrusted, type Roster } from '@sallyport/trust';

/** Who has announced itself on the control stream. Resolves when all that was on it at the time of the call is known. */
export async function followAnnounced(
  bus: Bus,
  roster: Roster,
  onError: (error: unknown) => void,
): Promise<{ readonly services: AnnouncedServices; readonly reading: Consumption }> {
  const services = new AnnouncedServices(roster);
  const reading = await followTrusted({
    bus,
    topic: TOPICS.control,
    roster,
    onEvent: (event, by) => {
      if (event.type === 'service.announced') services.apply(event, by);
    },
    onError,
  });
  return { services, reading };
}
