const MAX_DEPTH = 32;

/**
 * Reads one JSON object strictly: UTF-8 without errors, and no member name twice at any depth (RFC 7519 section 4 leaves it to the
 * reader to refuse those; two readers that pick different ones would see two different principals).
 * Undefined when the bytes are anything else.
 */
export function readJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (!isShallowWithoutDuplicates(text)) return undefined;
  return value as Record<string, unknown>;
}

/** `text` is known to be JSON, so only strings and brackets matter. A set for an object, null for an array. */
function isShallowWithoutDuplicates(text: string): boolean {
  const open: (Set<string> | null)[] = [];
  let nameComes = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (nameComes && names) {
        const name = JSON.parse(text.slice(at, end)) as string;
        if (names.has(name)) return false;
        names.add(name);
        nameComes = false;
      }
      at = end - 1;
    } else if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) return false;
      nameComes = char === '{';
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === ',') {
      nameComes = open.at(-1) instanceof Set;
    }
  }
  return true;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
