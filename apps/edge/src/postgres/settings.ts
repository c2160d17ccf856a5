import { settingChange } from '@sallyport/operation';

/**
 * Startup parameters (protocol, StartupMessage): settings by another door than SET. What a policy would refuse as a
 * statement, or what makes the target read a statement in another way than the edge, is refused here.
 */
export interface StartupSettings {
  /** What is sent on to the target. */
  readonly forTarget: Readonly<Record<string, string>>;
  readonly application: string;
  /** `-c sallyport.auth=oauthbearer` in `options`: how the agent wants to sign in. */
  readonly auth: 'password' | 'oauthbearer' | undefined;
  /** The same as SQL, of what policy has a say in: what names mean, and what is the server's own business. */
  readonly judged: readonly string[];
}

export type Screened = { readonly ok: true; readonly settings: StartupSettings } | { readonly ok: false; readonly message: string };

/** The edge's own business, or the target's to be told by the edge. */
const OURS = new Set(['user', 'database', 'replication']);

/** What a setting may amount to. The rest is refused: identity is the lease's, and how text is read must be the same on both sides. */
const PLAIN = 'postgres.session.set';
const JUDGED: ReadonlySet<string> = new Set(['postgres.session.set_path', 'postgres.server.setting']);

/**
 * Encodings in which every byte below 0x80 is ASCII, so that quotes are where they seem to be. As the server looks them up: in
 * lower case, and by letters and digits alone (clean_encoding_name).
 */
const SAFE_ENCODINGS = /^(utf8|unicode|sqlascii|latin\d+|iso8859\d+|win(dows)?125\d|win866|win874|koi8r?|koi8u|euc(jp|kr|cn|tw)|auto)$/;

export function screenSettings(parameters: Readonly<Record<string, string>>): Screened {
  const forTarget: Record<string, string> = {};
  const judged: string[] = [];
  let auth: StartupSettings['auth'];
  if (parameters.replication !== undefined && !/^(false|off|no|0)$/i.test(parameters.replication)) {
    return { ok: false, message: 'replication connections are not let through' };
  }
  for (const [name, value] of Object.entries(parameters)) {
    if (OURS.has(name) || name.startsWith('_pq_.')) continue;
    const options = name === 'options' ? splitOptions(value) : [{ name, value }];
    if (!options) return { ok: false, message: 'startup options are not of the form -c name=value or --name=value' };
    const kept: string[] = [];
    for (const option of options) {
      if (option.name === 'sallyport.auth') {
        if (option.value !== 'password' && option.value !== 'oauthbearer')
          return { ok: false, message: 'sallyport.auth is password or oauthbearer' };
        auth = option.value;
        continue;
      }
      const problem = problemOf(option.name, option.value);
      if (problem !== undefined) return { ok: false, message: problem };
      if (JUDGED.has(settingChange(option.name, [option.value]).class)) judged.push(setOf(option.name, option.value));
      kept.push(`-c ${escapeOption(`${option.name}=${option.value}`)}`);
    }
    if (name !== 'options') forTarget[name] = value;
    else if (kept.length > 0) forTarget.options = kept.join(' ');
  }
  return { ok: true, settings: { forTarget, application: parameters.application_name ?? '', auth, judged } };
}

function problemOf(name: string, value: string): string | undefined {
  if (name.toLowerCase() === 'client_encoding') {
    if (SAFE_ENCODINGS.test(value.toLowerCase().replace(/[^a-z0-9]/g, ''))) return undefined;
    return `client_encoding "${value}" is not let through: use UTF8`;
  }
  const change = settingChange(name, [value]);
  return change.class === PLAIN || JUDGED.has(change.class) ? undefined : `parameter "${change.name}" can not be set at sign-in`;
}

function setOf(name: string, value: string): string {
  return `SET "${name.toLowerCase().replaceAll('"', '""')}" TO '${value.replaceAll("'", "''")}'`;
}

/** As the server splits `options` (pg_split_opts): at white space, a backslash takes the next character as it is. */
function splitOptions(text: string): { name: string; value: string }[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') word = (word ?? '') + (text[++i] ?? '');
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);

  const options: { name: string; value: string }[] = [];
  for (let i = 0; i < words.length; i++) {
    const current = words[i]!;
    let setting: string | undefined;
    if (current === '-c') setting = words[++i];
    else if (current.startsWith('-c')) setting = current.slice(2);
    else if (current.startsWith('--')) setting = current.slice(2);
    const equals = setting?.indexOf('=') ?? -1;
    if (setting === undefined || equals <= 0) return undefined;
    options.push({ name: setting.slice(0, equals).replaceAll('-', '_').toLowerCase(), value: setting.slice(equals + 1) });
  }
  return options;
}

function escapeOption(text: string): string {
  return text.replace(/[\s\\]/g, (char) => `\\${char}`);
}
