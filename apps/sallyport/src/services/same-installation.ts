import { type Bus, TOPICS } from '@sallyport/bus';
import { followTrusted, type Roster } from '@sallyport/trust';

/** Services that belong to different installations would make roles that the others' vendors take for strangers'. */
export class OtherInstallation extends Error {
  readonly code = 'INSTALLATION_DIFFERS';
}

/** Rejects with `INSTALLATION_DIFFERS` when an enrolled service on this bus says that it belongs to another installation. */
export async function checkInstallation(bus: Bus, roster: Roster, own: string, installation: string): Promise<void> {
  const others = new Map<string, string>();
  const reading = await followTrusted({
    bus,
    topic: TOPICS.control,
    roster,
    onEvent: (event, by) => {
      if (event.type === 'service.announced' && by.name !== own) others.set(by.name, event.data.installation);
    },
    onError: () => undefined,
  });
  await reading.close();
  const other = [...others].find(([, theirs]) => theirs !== installation);
  if (!other) return;
  throw new OtherInstallation(
    `${other[0]} belongs to the installation ${other[1]}, and this is ${installation}: give every machine the same \`installation\`, or take the key of ${other[0]} out of the enrolled ones`,
  );
}
