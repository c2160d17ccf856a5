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
      settings: { forTarget: { application_name: 'run:7', DateStyle: 'ISO' }, application: 'run:7', auth: undefined },
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
