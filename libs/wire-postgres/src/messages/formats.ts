import type { BodyReader } from '../body-reader.js';
import type { FrameWriter } from '../frame-writer.js';

/**
 * A list of format codes, as in Bind, FunctionCall and the copy responses:
 *
 *     Int16 count  Int16 format [count]
 */
export function readFormats(reader: BodyReader): readonly number[] {
  const count = reader.count(2);
  const formats: number[] = [];
  for (let i = 0; i < count; i += 1) formats.push(reader.int16());
  return formats;
}

export function writeFormats(writer: FrameWriter, formats: readonly number[]): void {
  writer.count(formats.length);
  for (const format of formats) writer.int16(format);
}
