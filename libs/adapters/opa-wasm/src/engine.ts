import * as sdk from '@open-policy-agent/opa-wasm';
import type { Engine, Entrypoint } from '@sallyport/verdict';
import { PolicyEngineError } from './errors.js';

export const DEFAULT_INPUT_MAX_BYTES = 4 * 1024 * 1024;
export const DEFAULT_DATA_MAX_BYTES = 32 * 1024 * 1024;
/** 1 GiB of 64 KiB pages: the module can't grow past it. */
export const DEFAULT_MEMORY_MAX_PAGES = 16_384;

/** Built-ins that @open-policy-agent/opa-wasm 1.10 supplies from JavaScript; all others must be inside the module. */
export const PROVIDED_BUILTINS: ReadonlySet<string> = new Set([
  'json.is_valid',
  'regex.split',
  'sprintf',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
]);

const PAGE_BYTES = 65_536;
const BASE_PAGES = 64;
/** Measured: parsed data takes about eleven times its JSON. Growing there step by step is slower by two orders of magnitude. */
const DATA_GROWTH = 11;

export interface OpaWasmOptions {
  readonly wasm: Uint8Array;
  /** Entrypoints that have to be there. */
  readonly entrypoints: readonly Entrypoint[];
  /** `data` of the policies: the grants document. */
  readonly data: object;
  readonly inputMaxBytes?: number;
  readonly dataMaxBytes?: number;
  readonly memoryMaxPages?: number;
}

// Its types list loadPolicySync by name; at run time an ES module finds it on the default export only.
const { loadPolicySync } = (sdk as unknown as { default: typeof sdk }).default;

type Policy = ReturnType<typeof loadPolicySync>;

/** What the SDK keeps and its types hide. */
interface Internals {
  readonly wasmInstance: WebAssembly.Instance;
  readonly mem: WebAssembly.Memory;
  readonly entrypoints: Readonly<Record<string, number>>;
}

/**
 * Loads a compiled policy with its data. Everything it needs is checked here and not at the first call that needs it. After a
 * failure inside the module its memory may be anything: the instance is thrown away and the next call gets a new one.
 * @throws PolicyEngineError POLICY_BUILTIN_MISSING, POLICY_ENTRYPOINT_MISSING, POLICY_DATA_TOO_LARGE, POLICY_ENGINE_FAILED
 */
export function opaWasmEngine(options: OpaWasmOptions): Engine {
  const { entrypoints, inputMaxBytes = DEFAULT_INPUT_MAX_BYTES, dataMaxBytes = DEFAULT_DATA_MAX_BYTES } = options;
  const data = bytesOf(options.data);
  if (data.byteLength > dataMaxBytes)
    throw new PolicyEngineError('POLICY_DATA_TOO_LARGE', `grants of ${data.byteLength} bytes, more than ${dataMaxBytes}`);
  const initial = BASE_PAGES + Math.ceil((data.byteLength * DATA_GROWTH) / PAGE_BYTES);
  const maximum = Math.max(options.memoryMaxPages ?? DEFAULT_MEMORY_MAX_PAGES, initial);
  const module = failing('compile', () => new WebAssembly.Module(options.wasm));

  function load(): Policy {
    return failing('load', () => {
      const policy = loadPolicySync(module, { initial, maximum });
      checkBuiltins(policy);
      checkEntrypoints(policy, entrypoints);
      policy.setData(data);
      return policy;
    });
  }

  let live: Policy | null = load();
  return {
    evaluate(entrypoint, input) {
      const bytes = bytesOf(input);
      if (bytes.byteLength > inputMaxBytes) {
        throw new PolicyEngineError('POLICY_INPUT_TOO_LARGE', `input of ${bytes.byteLength} bytes, more than ${inputMaxBytes}`);
      }
      const policy = live ?? load();
      live = null;
      const results: unknown = failing('evaluate', () => policy.evaluate(bytes, entrypoint));
      live = policy;
      return Array.isArray(results) && results.length === 1 ? (results[0] as { result?: unknown }).result : undefined;
    },
  };
}

function bytesOf(value: unknown): ArrayBuffer {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const buffer = new ArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

/** ABI: `builtins()` is the address of an object, name → id, of what the host must provide. */
function checkBuiltins({ wasmInstance, mem }: Internals): void {
  const { builtins, opa_json_dump: dump } = wasmInstance.exports as Record<string, (...args: number[]) => number>;
  if (builtins === undefined || dump === undefined) throw new PolicyEngineError('POLICY_ENGINE_FAILED', 'the module is not one of opa');
  const bytes = Buffer.from(mem.buffer);
  const at = dump(builtins());
  const text = Buffer.from(mem.buffer).toString('utf8', at, bytes.indexOf(0, at));
  const missing = Object.keys(JSON.parse(text) as object).filter((name) => !PROVIDED_BUILTINS.has(name));
  if (missing.length > 0)
    throw new PolicyEngineError('POLICY_BUILTIN_MISSING', `the policy needs built-ins that are not here: ${missing.sort().join(', ')}`);
}

function checkEntrypoints({ entrypoints }: Internals, wanted: readonly string[]): void {
  const missing = wanted.filter((name) => !Object.hasOwn(entrypoints, name));
  if (missing.length > 0) throw new PolicyEngineError('POLICY_ENTRYPOINT_MISSING', `the policy has no entrypoint ${missing.join(', ')}`);
}

/** The SDK throws strings and bare objects. What opa_abort says is about the policy, not about the input. */
function failing<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof PolicyEngineError) throw cause;
    const detail = typeof cause === 'string' ? cause : cause instanceof Error ? cause.message : 'unknown';
    throw new PolicyEngineError('POLICY_ENGINE_FAILED', `the policy failed to ${what}: ${detail}`, { cause });
  }
}
