import createModule from 'libpg-query/wasm/libpg-query.js';

/**
 * The real PostgreSQL parser, as WASM. We drive the module ourselves rather than through libpg-query's own functions for one reason:
 * an instance that trapped (out of stack or memory) keeps its half-unwound stack, and later answers wrongly. Such an instance is never
 * used again. One spare stands ready, because a new one can only be made asynchronously.
 */
interface PgQueryModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  lengthBytesUTF8(text: string): number;
  stringToUTF8(text: string, pointer: number, maxBytes: number): void;
  UTF8ToString(pointer: number): string;
  getValue(pointer: number, type: 'i32'): number;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
}

/** The parser's answer to a text that isn't SQL. `message` quotes the statement: for the client, never for a log. */
export class SyntaxProblem extends Error {
  constructor(
    message: string,
    /** In characters, from 1, as in the P field of an ErrorResponse; 0 when unknown. */
    readonly position: number,
  ) {
    super(message);
    this.name = 'SyntaxProblem';
  }
}

/** The parser itself failed: the statement may be fine, but nobody knows. */
export class EngineFailure extends Error {
  readonly code = 'OPERATION_PARSER_FAILED';
  override readonly name = 'EngineFailure';
}

let current: PgQueryModule | undefined;
let spare: PgQueryModule | undefined;
let loading: Promise<void> | undefined;

/** Loads the parser. Call once and wait before the synchronous functions; more calls cost nothing. */
export function loadParser(): Promise<void> {
  loading ??= refill().finally(() => {
    loading = undefined;
  });
  return loading;
}

async function refill(): Promise<void> {
  // Either may be used up while the other loads.
  while (current === undefined || spare === undefined) {
    const module = (await createModule()) as PgQueryModule;
    if (current === undefined) current = module;
    else spare = module;
  }
}

function run<Result>(use: (module: PgQueryModule) => Result): Result {
  const module = current;
  if (module === undefined) throw new EngineFailure('the parser is not loaded: call loadParser() first');
  try {
    return use(module);
  } catch (error) {
    if (error instanceof SyntaxProblem) throw error;
    current = spare;
    spare = undefined;
    // A failure to load again shows as EngineFailure at the next call: closed, not open.
    void loadParser().catch(() => {});
    throw new EngineFailure('the parser failed and was replaced', { cause: error });
  }
}

function withText<Result>(module: PgQueryModule, text: string, use: (pointer: number) => Result): Result {
  const bytes = module.lengthBytesUTF8(text) + 1;
  const pointer = module._malloc(bytes);
  if (pointer === 0) throw new EngineFailure('the parser is out of memory');
  module.stringToUTF8(text, pointer, bytes);
  const result = use(pointer);
  module._free(pointer);
  return result;
}

/** The parse tree as libpg-query's JSON. `text` is well-formed, without NUL, and bounded in size and nesting: the caller sees to that. */
export function parseTree(text: string): unknown {
  const json = run((module) =>
    withText(module, text, (pointer) => {
      const result = module._wasm_parse_query_raw(pointer);
      if (result === 0) throw new EngineFailure('the parser is out of memory');
      // PgQueryParseResult { tree, stderr, error { message, function, file, line, cursor } }
      const tree = module.getValue(result, 'i32');
      const error = module.getValue(result + 8, 'i32');
      const answer =
        error === 0
          ? module.UTF8ToString(tree)
          : new SyntaxProblem(module.UTF8ToString(module.getValue(error, 'i32')), module.getValue(error + 16, 'i32'));
      module._wasm_free_parse_result(result);
      return answer;
    }),
  );
  if (json instanceof SyntaxProblem) throw json;
  return JSON.parse(json);
}
