import { operationHash, type BoundOperation } from './operation-hash.js';
import { revisionOf } from './revision.js';

const bound: BoundOperation = {
  principal: { subject: 'crew', issuer: 'https://idp', actors: [] },
  resource: { name: 'shop', kind: 'postgres' },
  statement: 'UPDATE stock SET n = $1 WHERE id = $2',
  parameters: ['1', '2'],
  revision: 'r1',
};

describe('operationHash', () => {
  it('is hex SHA-256 and the same for the same operation', () => {
    expect(operationHash(bound)).toMatch(/^[0-9a-f]{64}$/);
    expect(operationHash({ ...bound, principal: { ...bound.principal } })).toBe(operationHash(bound));
  });

  it.each<[string, Partial<BoundOperation>]>([
    ['subject', { principal: { ...bound.principal, subject: 'crew2' } }],
    ['issuer', { principal: { ...bound.principal, issuer: 'https://idp2' } }],
    ['subject and issuer run together', { principal: { subject: 'crewhttps://', issuer: 'idp', actors: [] } }],
    ['actors', { principal: { ...bound.principal, actors: [{ subject: 'dana' }] } }],
    ['resource', { resource: { name: 'shop2', kind: 'postgres' } }],
    ['kind', { resource: { name: 'shop', kind: 'ssh' } }],
    ['statement', { statement: 'UPDATE stock SET n = $1 WHERE id = $2 ' }],
    ['statement as bytes', { statement: Buffer.from('UPDATE stock SET n = $1 WHERE id = $2') }],
    ['a parameter', { parameters: ['1', '3'] }],
    ['the order of parameters', { parameters: ['2', '1'] }],
    ['parameters run together', { parameters: ['12', ''] }],
    ['NULL', { parameters: ['1', null] }],
    ['the empty string', { parameters: ['1', ''] }],
    ['the word null', { parameters: ['1', 'null'] }],
    ['bytes', { parameters: ['1', Buffer.from('2')] }],
    ['one more', { parameters: ['1', '2', null] }],
    ['none', { parameters: [] }],
    ['revision', { revision: 'r2' }],
  ])('differs by %s', (_, change) => {
    expect(operationHash({ ...bound, ...change })).not.toBe(operationHash(bound));
  });

  it('tells NULL from the empty string', () => {
    expect(operationHash({ ...bound, parameters: [null] })).not.toBe(operationHash({ ...bound, parameters: [''] }));
  });
});

describe('revisionOf', () => {
  it('names bundle and grants, and does not run one into the other', () => {
    const [one, two] = [Buffer.from('ab'), Buffer.from('c')];
    expect(revisionOf([one, two], '{}')).toMatch(/^[0-9a-f]{64}$/);
    expect(revisionOf([one, two], '{}')).toBe(revisionOf([Buffer.from('ab'), Buffer.from('c')], '{}'));
    expect(
      new Set([revisionOf([one, two], '{}'), revisionOf([Buffer.from('a'), Buffer.from('bc')], '{}'), revisionOf([one, two], '{ }')]).size,
    ).toBe(3);
  });
});
