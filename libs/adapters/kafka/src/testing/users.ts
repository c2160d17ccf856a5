import { freePort } from '@sallyport/adapter-embedded-postgres';
import type { KafkaSasl } from '../options.js';
import type { StartKafkaOptions } from './broker.js';

export interface KafkaUsers {
  /** For `startKafka`. */
  readonly options: StartKafkaOptions;
  /** Where users sign in: `127.0.0.1:PORT`. The broker's other listener knows nobody, and is for who keeps it. */
  readonly broker: string;
  sasl(user: string): KafkaSasl & { readonly mechanism: 'plain' };
}

/** A broker with these users, who may do nothing that no ACL allows. */
export async function usersOf(...users: readonly string[]): Promise<KafkaUsers> {
  const password = 'a password of the test';
  const broker = `127.0.0.1:${await freePort()}`;
  const known = users.map((user) => ` user_${user}="${password}"`).join('');
  return {
    broker,
    options: {
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CPORT@,SASL://${broker}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:@PORT@,SASL://${broker}`,
        'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required${known};`,
        'allow.everyone.if.no.acl.found': 'false',
      },
    },
    sasl: (username) => ({ mechanism: 'plain', username, password }),
  };
}
