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
}

export type Screened = { readonly ok: true; readonly settings: StartupSettings } | { readonly ok: false; readonly message: string };

/** The edge's own business, or the target's to be told by the edge. */
const OURS = new Set(['user', 'database', 'replication']);

/** Identity is the lease's, and how text is read must be the same on both sides. */
const REFUSED: Readonly<Record<string, string>> = {
  role: 'the role is the one that was lent for this session',
  session_authorization: 'the role is the one that was lent for this session',
  standard_conforming_strings: 'statements are read with standard strings',
  backslash_quote: 'statements are read with standard strings',
  session_preload_libraries: 'libraries are the server’s business',
  local_preload_libraries: 'libraries are the server’s business',
};

/** Encodings in which every byte below 0x80 is ASCII, so that quotes are where they seem to be. */
const SAFE_ENCODINGS =
  /^(utf-?8|unicode|sql_?ascii|latin-?\d+|iso_?8859_?\d+|win(dows)?-?125\d|win866|win874|koi8r?|koi8u|euc_?(jp|kr|cn|tw)|'?auto'?)$/i;

export function screenSettings(parameters: Readonly<Record<string, string>>): Screened {
  const forTarget: Record<string, string> = {};
  let auth: StartupSettings['auth'];
  for (const [name, value] of Object.entries(parameters)) {
    if (OURS.has(name) || name.startsWith('_pq_.')) continue;
    if (name === 'options') {
      const options = splitOptions(value);
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
        kept.push(`-c ${escapeOption(`${option.name}=${option.value}`)}`);
      }
      if (kept.length > 0) forTarget.options = kept.join(' ');
      continue;
    }
    const problem = problemOf(name, value);
    if (problem !== undefined) return { ok: false, message: problem };
    forTarget[name] = value;
  }
  if (parameters.replication !== undefined && !/^(false|off|no|0)$/i.test(parameters.replication)) {
    return { ok: false, message: 'replication connections are not let through' };
  }
  return { ok: true, settings: { forTarget, application: parameters.application_name ?? '', auth } };
}

function problemOf(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  const refused = REFUSED[lower];
  if (refused !== undefined) return `parameter "${lower}" can not be set at sign-in: ${refused}`;
  if (lower === 'client_encoding' && !SAFE_ENCODINGS.test(value)) return `client_encoding "${value}" is not let through: use UTF8`;
  return undefined;
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
