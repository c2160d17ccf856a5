import { ClientText } from './client-text.js';

const text = (...statuses: (readonly [string, string])[]): ClientText => {
  const client = new ClientText();
  for (const [name, value] of statuses) client.parameterStatus(name, value);
  return client;
};
const GERMAN = Buffer.from('SELECT "ß"');

describe('P2: a statement is read as the target reads it, or not at all', () => {
  it('UTF-8, strictly', () => {
    const client = text(['client_encoding', 'UTF8'], ['server_encoding', 'LATIN1']);
    expect(client.of(GERMAN)).toBe('SELECT "ß"');
    expect(client.of(Buffer.from([0x27, 0xc3, 0x27]))).toBeUndefined();
    expect(client.unreadable().code).toBe('22021');
  });

  it.each(['LATIN1', 'EUC_JP', 'WIN1252'])('%s: ASCII only', (encoding) => {
    const client = text(['client_encoding', encoding], ['server_encoding', 'UTF8']);
    expect(client.of(Buffer.from('SELECT 1'))).toBe('SELECT 1');
    expect(client.of(GERMAN)).toBeUndefined();
    expect(client.unreadable().hint).toContain('UTF8');
  });

  it('SQL_ASCII is the server’s own encoding', () => {
    expect(text(['client_encoding', 'SQL_ASCII'], ['server_encoding', 'UTF8']).of(GERMAN)).toBe('SELECT "ß"');
    expect(text(['client_encoding', 'SQL_ASCII'], ['server_encoding', 'EUC_JP']).of(GERMAN)).toBeUndefined();
  });

  it('a session that once was in another encoding may be in it when a statement is read', () => {
    expect(text(['client_encoding', 'LATIN1'], ['client_encoding', 'UTF8']).of(GERMAN)).toBeUndefined();
  });
});
