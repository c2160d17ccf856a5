import { TOPICS, TRANSIENT_PREFIXES } from '@sallyport/bus';
import { eventSchemas } from './index.js';
import type { EventStream } from './index.js';

/** What a topic is for, who keys it by what, and what its records are when they are not events of ours. */
interface Topic {
  readonly description: string;
  readonly key: string;
  readonly stream?: EventStream;
  readonly payload?: { readonly contentType: string; readonly schema: object };
}

const TOPIC_DETAILS: Readonly<Record<keyof typeof TOPICS, Topic>> = {
  sessions: { description: 'The record: one chained stream a session.', key: 'session id', stream: 'session' },
  control: { description: 'What people and services say about sessions they do not hold.', key: 'subject', stream: 'control' },
  leases: { description: 'Credentials issued and dropped. Never the secret.', key: 'lease id', stream: 'leases' },
  policies: {
    description: 'The policy store: signed bundles, the last one a key.',
    key: 'bundle',
    payload: { contentType: 'application/octet-stream', schema: { type: 'string', format: 'binary' } },
  },
  checkpoints: {
    description: 'Signed tree heads: C2SP tlog-checkpoint notes.',
    key: 'log',
    payload: { contentType: 'text/plain; charset=utf-8', schema: { type: 'string' } },
  },
};

/** The AsyncAPI 3.0 document that names every topic and every event. */
export function asyncApi(): object {
  const channels: Record<string, object> = {};
  const messages: Record<string, object> = {};
  for (const [name, address] of Object.entries(TOPICS)) {
    const topic = TOPIC_DETAILS[name as keyof typeof TOPICS];
    const own = topicMessages(name, topic);
    Object.assign(messages, own);
    channels[name] = {
      address,
      description: `${topic.description} Key: ${topic.key}.`,
      messages: Object.fromEntries(Object.keys(own).map((message) => [message, { $ref: `#/components/messages/${message}` }])),
    };
  }
  for (const prefix of TRANSIENT_PREFIXES) {
    channels[prefix.replace(/^sallyport\./, '').replace(/\.$/, '')] = {
      address: `${prefix}{part}`,
      description: 'Requests and replies between services, kept for minutes.',
      parameters: { part: { description: 'The pattern, and for replies who they are for.' } },
      messages: {},
    };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Sallyport',
      version: '1',
      description: 'Events are CloudEvents 1.0, structured JSON. Names and payloads of a topic with v1 only grow.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels,
    operations: Object.fromEntries(
      Object.keys(channels).flatMap((channel) => [
        [`send.${channel}`, { action: 'send', channel: { $ref: `#/channels/${channel}` } }],
        [`receive.${channel}`, { action: 'receive', channel: { $ref: `#/channels/${channel}` } }],
      ]),
    ),
    components: { messages },
  };
}

function topicMessages(name: string, { stream, payload }: Topic): Record<string, object> {
  if (payload) return { [name]: { name, contentType: payload.contentType, payload: payload.schema } };
  const types = Object.entries(eventSchemas).filter(([, known]) => known.stream === stream);
  return Object.fromEntries(types.map(([type]) => [type, { name: type, payload: eventPayload(type) }]));
}

function eventPayload(type: string): object {
  return {
    allOf: [
      { $ref: './schemas/envelope.json' },
      { type: 'object', properties: { type: { const: type }, data: { $ref: `./schemas/${type}.json` } } },
    ],
  };
}
