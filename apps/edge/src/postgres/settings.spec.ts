import { screenSettings } from './settings.js';

const refusal = (parameters: Record<string, string>): string | undefined => {
  const screened = screenSettings(parameters);
  return screened.ok ? undefined : screened.message;
};

describe('screenSettings', () => {
  it('sends ordinary settings on, and keeps what is the edge’s own', () => {
    const screened = screenSettings({
      user: 'a',
      database: 'shop',
      application_name: 'run:7',
      DateStyle: 'ISO',
      '_pq_.x': '1',
      replication: 'false',
    });
    expect(screened).toEqual({
      ok: true,
      settings: { forTarget: { application_name: 'run:7', DateStyle: 'ISO' }, application: 'run:7', auth: undefined, judged: [] },
    });
  });

  it.each([
    [{ role: 'admin' }],
    [{ ROLE: 'admin' }],
    [{ options: '-c role=admin' }],
    [{ options: '-crole=admin' }],
    [{ options: '--role=admin' }],
    [{ options: '--session-authorization=postgres' }],
    [{ options: '-c\tr\\ole=admin' }],
    [{ options: '-c search_path=x --role=admin' }],
    [{ standard_conforming_strings: 'off' }],
    [{ options: '-c backslash_quote=on' }],
    [{ client_encoding: 'SJIS' }],
    [{ options: '-c client_encoding=GBK' }],
    [{ replication: 'database' }],
    [{ replication: 'true' }],
    [{ options: '-d 5' }],
    [{ options: '-c role' }],
  ])('P2: refuses %j', (parameters) => {
    expect(refusal(parameters)).toEqual(expect.any(String));
  });

  it('P2: has policy judge what names mean', () => {
    const expected = { ok: true, settings: { judged: [`SET "search_path" TO 'a, "it''s"'`] } };
    expect(screenSettings({ Search_Path: `a, "it's"` })).toMatchObject(expected);
    expect(screenSettings({ options: `--search-path=a,\\ "it's"` })).toMatchObject(expected);
  });

  it('P2: has policy judge what is the server’s business', () => {
    expect(screenSettings({ session_preload_libraries: 'x', Log_Statement: 'none', work_mem: '1MB' })).toMatchObject({
      ok: true,
      settings: { judged: [`SET "session_preload_libraries" TO 'x'`, `SET "log_statement" TO 'none'`] },
    });
  });

  it('takes names that objects have, and nothing from them', () => {
    expect(screenSettings({ constructor: 'x' })).toMatchObject({ ok: true, settings: { forTarget: { constructor: 'x' } } });
  });

  it.each(['UTF8', 'utf-8', "'utf-8'", 'Unicode', 'LATIN1', 'iso 8859-1', 'SQL_ASCII', 'EUC-JP'])(
    'P8: lets client_encoding %s through',
    (value) => {
      expect(screenSettings({ client_encoding: value })).toMatchObject({ ok: true, settings: { forTarget: { client_encoding: value } } });
    },
  );

  it('passes options on, one by one and escaped', () => {
    const screened = screenSettings({ options: '-c search_path=a,b  --work-mem=1MB -c application_name=x\\ y' });
    expect(screened).toMatchObject({
      settings: { forTarget: { options: '-c search_path=a,b -c work_mem=1MB -c application_name=x\\ y' } },
    });
  });

  it('takes the wish for OAUTHBEARER out of the options', () => {
    const screened = screenSettings({ options: '-c sallyport.auth=oauthbearer' });
    expect(screened).toMatchObject({ ok: true, settings: { auth: 'oauthbearer', forTarget: {} } });
    expect(refusal({ options: '-c sallyport.auth=none' })).toContain('sallyport.auth');
  });
});
