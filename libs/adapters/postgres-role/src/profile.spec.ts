import { checkProfiles, PHRASE_MAX_CHARS, PROFILE_MAX_PHRASES } from './profile.js';

describe('checkProfiles', () => {
  it.each([
    'SELECT ON ALL TABLES IN SCHEMA public',
    'SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public',
    'SELECT (id, name) ON public.customers',
    'USAGE ON SCHEMA sales, stock',
    'EXECUTE ON FUNCTION public.total(integer)',
    'CONNECT ON DATABASE shop',
    'USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public',
    'SELECT ON "odd; name"',
  ])('takes %s', async (text) => {
    expect((await checkProfiles({ p: [text] })).get('p')).toEqual([{ kind: 'privileges', text }]);
  });

  it('takes memberships', async () => {
    expect((await checkProfiles({ p: ['ROLE reader', 'role "Odd Role"'] })).get('p')).toEqual([
      { kind: 'membership', role: 'reader' },
      { kind: 'membership', role: 'Odd Role' },
    ]);
  });

  it.each([
    ['a second statement', 'SELECT ON t TO x; DROP TABLE t; GRANT SELECT ON t'],
    ['another grantee', 'SELECT ON t TO evil, x; --'],
    ['a comment that hides the grantee', 'SELECT ON t TO evil --'],
    ['an open comment', 'SELECT ON t TO evil /*'],
    ['a list of grantees', 'SELECT ON t TO evil, "sallyport_grantee" WITH GRANT OPTION --'],
    ['a membership that is not said to be one', 'pg_execute_server_program'],
    ['a membership with options', 'ROLE reader TO evil WITH ADMIN OPTION; GRANT reader'],
    ['two memberships in one phrase', 'ROLE reader, writer'],
    ['a privilege dressed as a membership', 'ROLE SELECT ON t'],
    ['a NUL', 'SELECT ON t\0; DROP TABLE t'],
    ['nothing', ''],
    ['ALL ROLES', 'ROLE'],
    ['one that is too long', `SELECT ON ${'t'.repeat(PHRASE_MAX_CHARS)}`],
  ])('refuses %s', async (_what, text) => {
    await expect(checkProfiles({ p: [text] })).rejects.toMatchObject({
      code: 'LEASE_CONFIG',
      message: 'profile p, phrase 1: not what stands between GRANT and TO, nor "ROLE name"',
    });
  });

  it('refuses more phrases than the limit', async () => {
    const many = Array.from({ length: PROFILE_MAX_PHRASES + 1 }, () => 'ROLE reader');
    await expect(checkProfiles({ p: many })).rejects.toMatchObject({ code: 'LEASE_CONFIG' });
  });
});
