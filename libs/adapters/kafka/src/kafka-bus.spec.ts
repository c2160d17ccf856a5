import { TOPICS } from '@sallyport/bus';
import { busConformance } from '@sallyport/bus/conformance';
import { openKafkaBus } from './kafka-bus.js';
import { freshTopics, kafkaInstalled, startKafka, type TestKafka } from './testing/index.js';

const TRANSIENT = 'sallyport.decide.conformance';

(kafkaInstalled() ? describe : describe.skip)('kafka bus', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());

  for (const partitions of [1, 3]) {
    busConformance(`kafka, ${partitions} partitions`, async () => {
      const options = { brokers: kafka.brokers };
      await freshTopics(options, { [TOPICS.sessions]: partitions, [TOPICS.control]: 1, [TRANSIENT]: partitions });
      let bus = await openKafkaBus(options);
      return {
        bus,
        async reopen() {
          await bus.close();
          return (bus = await openKafkaBus(options));
        },
        stop: () => bus.close(),
      };
    });
  }
});
