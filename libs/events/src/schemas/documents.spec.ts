import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS } from '@sallyport/bus';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { examplePlainEvents, exampleSession } from '../examples.js';
import { generateSigningKey } from '../keys.js';
import { documents } from './documents.js';
import { eventSchemas } from './index.js';

const root = join(import.meta.dirname, '../..');
const key = generateSigningKey('edge/test');
const examples = [...exampleSession('s-1', key), ...exampleSession('s-2', key, { end: 'aborted' }), ...examplePlainEvents()];

async function committed(): Promise<Record<string, unknown>> {
  const paths = ['asyncapi.json', ...(await readdir(join(root, 'schemas'))).map((name) => `schemas/${name}`)];
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, JSON.parse(await readFile(join(root, path), 'utf8'))])));
}

describe('committed schemas', () => {
  it('are what the types say: if not, run `npm run schemas -w @sallyport/events`', async () => {
    const made = Object.fromEntries(Object.entries(documents()).map(([path, text]) => [path, JSON.parse(text) as unknown]));
    expect(await committed()).toEqual(made);
  });

  it('accept every event as written, and refuse it with a member missing', async () => {
    const files = await committed();
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
    for (const [path, schema] of Object.entries(files)) if (path !== 'asyncapi.json') ajv.addSchema(schema as object);
    for (const { bytes } of examples) {
      const event = JSON.parse(bytes.toString()) as { type: string; data: Record<string, unknown> };
      expect([event.type, ajv.validate('envelope.json', event), ajv.errors]).toEqual([event.type, true, null]);
      expect([event.type, ajv.validate(`${event.type}.json`, event.data), ajv.errors]).toEqual([event.type, true, null]);
      const [required] = (files[`schemas/${event.type}.json`] as { required: string[] }).required;
      expect([event.type, ajv.validate(`${event.type}.json`, { ...event.data, [required!]: undefined })]).toEqual([event.type, false]);
      expect(ajv.validate('envelope.json', { ...event, subject: '' })).toBe(false);
    }
  });

  it('have an example of every type, and a file for every type', async () => {
    expect([...new Set(examples.map(({ event }) => event.type))].sort()).toEqual(Object.keys(eventSchemas).sort());
    expect(Object.keys(await committed())).toEqual(expect.arrayContaining(Object.keys(eventSchemas).map((type) => `schemas/${type}.json`)));
  });

  it('are named in one AsyncAPI document with every topic', async () => {
    const api = (await committed())['asyncapi.json'] as {
      channels: Record<string, { address: string; messages: Record<string, unknown> }>;
    };
    const addresses = Object.values(api.channels).map((channel) => channel.address);
    expect(addresses).toEqual(expect.arrayContaining(Object.values(TOPICS)));
    const messages = Object.values(api.channels).flatMap((channel) => Object.keys(channel.messages));
    expect(messages).toEqual(expect.arrayContaining(Object.keys(eventSchemas)));
  });
});
