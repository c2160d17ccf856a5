/** Byte1 type, Int32 length; the length counts itself and not the type (chapter 'Message Formats'). */
export const FRAME_HEADER_BYTES = 5;

/** The header of a frame whose body is sent in pieces. */
export function frameHeader(type: number, bodyBytes: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header[0] = type;
  header.writeInt32BE(bodyBytes + 4, 1);
  return header;
}
