import { loadConfig } from './load.js';

const kafka = (edge: string, others = 'decision: User:d, vendor: User:v, projector: User:p, console: "User:CN=console,O=x"') =>
  loadConfig({ text: `bus: { kafka: { brokers: ["127.0.0.1:9092"], acls: { edge: ${edge}, ${others} } } }` }, {});
const problems = (loaded: ReturnType<typeof kafka>): string[] =>
  loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);

describe('bus.kafka.acls', () => {
  it('names the users of each service: one, or several', () => {
    const loaded = kafka('[User:e1, User:e2]');
    expect(loaded.ok && loaded.config.bus).toMatchObject({
      acls: { edge: ['User:e1', 'User:e2'], decision: ['User:d'], vendor: ['User:v'], console: ['User:CN=console,O=x'] },
    });
  });

  it.each(['edge', '"User:*"', '[]', '[User:e, User]'])('refuses %s', (edge) => {
    expect(problems(kafka(edge))).toEqual([expect.stringContaining('such as User:edge')]);
  });

  it('leaves no service out', () => {
    expect(problems(kafka('User:e', ''))).toHaveLength(4);
  });
});
