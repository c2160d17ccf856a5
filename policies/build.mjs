#!/usr/bin/env node
/**
 * Compiles policies to WebAssembly: fmt, check, test, build, and a manifest.
 *
 *   node policies/build.mjs [--root DIR] [--out DIR] [--check]
 *
 * `--check` builds, compares with what is on disk byte for byte, writes nothing.
 * Exit codes: 0 done, 1 found something (a failing check or test, a difference), 2 wrong use, 3 no `opa` to build with.
 *
 * The result depends on the policies and on the version of opa only: every path that opa sees is relative, and nothing
 * carries a time or a host.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const ENTRYPOINTS = ['sallyport/verdict', 'sallyport/approval', 'sallyport/console'];
const SOURCES = ['sallyport', 'rules'];
const COVERAGE_PERCENT = 95;
const OPA_TIMEOUT_MS = 120_000;
const OPA_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** What opa's WebAssembly needs from its host must be here; the policies use built-ins that need none. */
const PROVIDED_BUILTINS = ['json.is_valid', 'regex.split', 'sprintf', 'yaml.is_valid', 'yaml.marshal', 'yaml.unmarshal'];

/** `code` is the exit code: 1 found something, 3 no opa. */
export class PolicyBuildError extends Error {
  constructor(message, code, options) {
    super(message, options);
    this.name = 'PolicyBuildError';
    this.code = code;
  }
}

/**
 * Builds the policies under `root` into `out`. With `check`, compares instead of writing.
 * @param {{ root: string, out?: string, check?: boolean, log?: (line: string) => void }} options
 * @returns {{ digest: string, inputPaths: Record<string, string[]>, opa: string }}
 */
export function buildPolicies({ root, out = join(root, 'bundle'), check = false, log = () => {} }) {
  const version = opaVersion();
  const built = join(out, 'manifest.json');
  if (check && existsSync(built)) {
    const { opa } = JSON.parse(readFileSync(built, 'utf8'));
    if (opa !== version)
      throw new PolicyBuildError(`the bundle was built with opa ${opa}, this is opa ${version}: bytes can't be compared`, 1);
  }
  const index = ruleIndex(root);
  settle(join(root, 'rules/index.rego'), index, check);

  log('fmt');
  const unformatted = run(root, ['fmt', '--list', ...SOURCES]).trim();
  if (unformatted !== '') throw new PolicyBuildError(`not formatted (opa fmt --write):\n${unformatted}`, 1);
  log('check');
  run(root, ['check', '--strict', '--schema', 'schemas', '--capabilities', 'capabilities.json', ...SOURCES]);
  log('test');
  run(root, ['test', ...SOURCES]);
  const { coverage } = JSON.parse(run(root, ['test', '--coverage', '--format', 'json', ...SOURCES]));
  log(`coverage ${coverage}%`);
  if (coverage < COVERAGE_PERCENT) throw new PolicyBuildError(`tests cover ${coverage}% of the lines, less than ${COVERAGE_PERCENT}%`, 1);

  log('build');
  const wasm = compile(root);
  const needed = Object.keys(requiredBuiltins(wasm)).sort();
  const lacking = needed.filter((name) => !PROVIDED_BUILTINS.includes(name));
  if (lacking.length > 0) throw new PolicyBuildError(`built-ins that WebAssembly lacks: ${lacking.join(', ')}`, 1);
  const manifest = {
    format: 1,
    opa: version,
    sha256: createHash('sha256').update(wasm).digest('hex'),
    bytes: wasm.length,
    entrypoints: ENTRYPOINTS,
    requiredBuiltins: needed,
    inputPaths: Object.fromEntries(ENTRYPOINTS.map((entrypoint) => [entrypoint, inputPaths(root, entrypoint)])),
    rules: ruleNames(root).map(({ kind, name }) => `sallyport.rules.${kind}.${name}`),
  };
  settle(join(out, 'policy.wasm'), wasm, check);
  settle(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, check);
  return { digest: manifest.sha256, inputPaths: manifest.inputPaths, opa: version };
}

function opaVersion() {
  const { error, stdout, status } = spawnSync('opa', ['version'], { encoding: 'utf8', timeout: OPA_TIMEOUT_MS });
  const version = /^Version: (\S+)$/m.exec(stdout ?? '')?.[1];
  if (error !== undefined || status !== 0 || version === undefined) {
    throw new PolicyBuildError(
      '`opa` is needed to build policies and is not on the PATH: https://www.openpolicyagent.org/docs/#running-opa',
      3,
      {
        cause: error,
      },
    );
  }
  return version;
}

function run(root, args) {
  const { error, status, stdout, stderr } = spawnSync('opa', args, {
    cwd: root,
    encoding: 'utf8',
    timeout: OPA_TIMEOUT_MS,
    maxBuffer: OPA_MAX_OUTPUT_BYTES,
    env: { ...process.env, NO_COLOR: '1', GODEBUG: '' },
  });
  if (error !== undefined) throw new PolicyBuildError(`opa ${args[0]}: ${error.message}`, 3, { cause: error });
  if (status !== 0) throw new PolicyBuildError(`opa ${args[0]} failed:\n${`${stdout}${stderr}`.trim()}`, 1);
  return stdout;
}

/** Rules are the folders rules/KIND/NAME with rule.rego, rule_test.rego and README.md: found now, never at run time. */
function ruleNames(root) {
  const folders = (path) => (existsSync(path) ? readdirSync(path).filter((name) => statSync(join(path, name)).isDirectory()) : []).sort();
  return folders(join(root, 'rules')).flatMap((kind) =>
    folders(join(root, 'rules', kind)).map((name) => {
      for (const file of ['rule.rego', 'rule_test.rego', 'README.md']) {
        if (!existsSync(join(root, 'rules', kind, name, file))) throw new PolicyBuildError(`rules/${kind}/${name} has no ${file}`, 1);
      }
      return { kind, name };
    }),
  );
}

function ruleIndex(root) {
  const { annotations = [], namespaces } = JSON.parse(run(root, ['inspect', '--annotations', '--format', 'json', 'rules']));
  const blocks = ruleNames(root).map(({ kind, name }) => {
    const path = `sallyport.rules.${kind}.${name}`;
    const file = `rules/${kind}/${name}/rule.rego`;
    if (!namespaces[`data.${path}`]?.includes(file)) throw new PolicyBuildError(`${file}: the package must be ${path}`, 1);
    const about = annotations.find(({ annotations: { scope }, location }) => scope === 'package' && location.file === file)?.annotations;
    for (const [field, value] of [
      ['title', about?.title],
      ['description', about?.description],
      ['custom.hint', about?.custom?.hint],
    ]) {
      if (typeof value !== 'string' || value === '') throw new PolicyBuildError(`${file}: the package's METADATA has no ${field}`, 1);
    }
    return `findings contains finding if {
	some found in data.${path}.deny
	finding := {
		"path": ${JSON.stringify(path)},
		"title": ${JSON.stringify(about.title)},
		"hint": ${JSON.stringify(about.custom.hint)},
		"statement": found.statement,
		"reason": found.reason,
	}
}
`;
  });
  return `# METADATA
# title: What the default rules found
# description: Written by policies/build.mjs from the folders beside it. Do not edit.
package sallyport.rules

${blocks.join('\n')}`;
}

function compile(root) {
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-policy-'));
  try {
    const bundle = join(scratch, 'bundle.tar.gz');
    const entrypoints = ENTRYPOINTS.flatMap((entrypoint) => ['--entrypoint', entrypoint]);
    run(root, [
      'build',
      '--target',
      'wasm',
      '--capabilities',
      'capabilities.json',
      '--ignore',
      '*_test.rego',
      ...entrypoints,
      '--output',
      bundle,
      ...SOURCES,
    ]);
    return tarMember(gunzipSync(readFileSync(bundle)), '/policy.wasm');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** POSIX ustar: 512-byte headers, name at 0, size in octal at 124. */
function tarMember(tar, wanted) {
  for (let at = 0; at + 512 <= tar.length;) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('ascii', at + 124, at + 136), 8) || 0;
    if (name === wanted) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new PolicyBuildError(`opa build made no ${wanted}`, 1);
}

/**
 * Every input path that the entrypoint may read, by opa's own dependency analysis over the compiled modules. A path ends
 * where the policy stops naming keys, and then stands for all that is below it. `[]` as JSON pointer '' is the whole input.
 */
function inputPaths(root, entrypoint) {
  const reference = `data.${entrypoint.replaceAll('/', '.')}`;
  const { base } = JSON.parse(
    run(root, ['deps', '--format', 'json', '--ignore', '*_test.rego', ...SOURCES.flatMap((source) => ['-d', source]), reference]),
  );
  const paths = base
    .filter(([head]) => head.value === 'input')
    .map((terms) => {
      const keys = terms.slice(1);
      const open = keys.findIndex(({ type }) => type !== 'string');
      return (open === -1 ? keys : keys.slice(0, open)).map(({ value }) => value);
    });
  const covered = (path) => paths.some((other) => other.length < path.length && other.every((key, index) => key === path[index]));
  const pointers = paths
    .filter((path) => !covered(path))
    .map((path) => path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
  return [...new Set(pointers)].sort();
}

/** Instantiates the module with an empty host and asks it. ABI: https://www.openpolicyagent.org/docs/wasm */
function requiredBuiltins(wasm) {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const refuse = () => {
    throw new Error('not called while loading');
  };
  const env = { memory, opa_abort: refuse, opa_println: refuse };
  for (let arity = 0; arity <= 4; arity += 1) env[`opa_builtin${arity}`] = refuse;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env });
  const bytes = Buffer.from(memory.buffer);
  const at = exports.opa_json_dump(exports.builtins());
  return JSON.parse(Buffer.from(memory.buffer).toString('utf8', at, bytes.indexOf(0, at)));
}

function settle(path, content, check) {
  const bytes = Buffer.from(content);
  const same = existsSync(path) && readFileSync(path).equals(bytes);
  if (same) return;
  if (check) throw new PolicyBuildError(`${path} is not what the policies build to: run npm run policy:build and commit`, 1);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

function main(args) {
  const options = { root: dirname(fileURLToPath(import.meta.url)), log: (line) => console.error(`policy: ${line}`) };
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === '--check') options.check = true;
    else if ((args[at] === '--root' || args[at] === '--out') && args[at + 1] !== undefined)
      options[args[at].slice(2)] = resolve(args[(at += 1)]);
    else {
      console.error('usage: node policies/build.mjs [--root DIR] [--out DIR] [--check]');
      return 2;
    }
  }
  try {
    const { digest, opa } = buildPolicies(options);
    console.log(`${options.check ? 'unchanged' : 'built'}: sha256 ${digest} (opa ${opa})`);
    return 0;
  } catch (error) {
    if (!(error instanceof PolicyBuildError)) throw error;
    console.error(`policy: ${error.message}`);
    return error.code;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href)
  process.exitCode = main(process.argv.slice(2));
