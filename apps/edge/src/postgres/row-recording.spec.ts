import { encodeDataRow, FRAME_HEADER_BYTES } from '@sallyport/wire-postgres';
import { RowRecording } from './row-recording.js';

const body = (...values: (Buffer | null)[]): Buffer => encodeDataRow({ kind: 'dataRow', values }).subarray(FRAME_HEADER_BYTES);

describe('RowRecording', () => {
  it('keeps rows as text, NULL as null, and what is no text as base64', () => {
    const recording = new RowRecording(1000);
    recording.row(body(Buffer.from('42'), null, Buffer.from([0, 0, 0, 7])));
    expect(recording.event(3)).toEqual({
      operation: 3,
      stream: 'rows',
      chunk: 0,
      rows: [['42', null, '\\bAAAABw==']],
      truncated: false,
    });
  });

  it('P9: keeps no more than its limit, and says so', () => {
    const recording = new RowRecording(40);
    for (let i = 0; i < 1000; i++) recording.row(body(Buffer.from('0123456789')));
    expect(recording.event(1)).toMatchObject({ rows: [['0123456789'], ['0123456789']], truncated: true });
  });

  it('has nothing to say without rows', () => {
    expect(new RowRecording(10).event(1)).toBeUndefined();
  });
});
