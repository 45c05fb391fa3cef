import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { collect } from '../../src/kit/bytes.ts';
import { BundleError } from '../../src/kit/errors.ts';
import { RemoteStream } from '../../src/storage/remote-stream.ts';
import { codeOfAsync } from '../factory/errors.ts';

const MIB = 1024 * 1024;
const FILE = Uint8Array.from(randomBytes(6 * MIB));
const PARTS = { 'accept-ranges': 'bytes', etag: '"v1"' };
const options = { idleMs: 1000, where: { file: 'https://x/y' } };

function bodyOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at >= bytes.byteLength) controller.close();
      else controller.enqueue(bytes.slice(at, at + 100_000));
      at += 100_000;
    },
  });
}

/** A server with the file, and what it was asked for. */
function server(headers: Record<string, string>, status = 206) {
  const asked: Record<string, string>[] = [];
  const ask = async (sent: Readonly<Record<string, string>>): Promise<Response> => {
    asked.push({ ...sent });
    const start = Number(/^bytes=(\d+)-$/.exec(sent['range'] ?? '')?.[1]);
    const range = { 'content-range': `bytes ${start}-${FILE.byteLength - 1}/${FILE.byteLength}` };
    return new Response(bodyOf(FILE.subarray(start)), { status, headers: status === 206 ? range : {} });
  };
  const response = new Response(null, { headers });
  return { asked, stream: new RemoteStream(response, bodyOf(FILE), ask, options) };
}

/** Leaves out `count` bytes behind the first chunk, and reads the rest. */
async function behind(stream: RemoteStream, count: number): Promise<Uint8Array> {
  const first = await stream.next();
  expect(first.value?.byteLength).toBe(100_000);
  stream.skip(count);
  return collect(stream, FILE.byteLength, () => new BundleError('INTERNAL', 'too much'));
}

describe('what is left out of an answer', () => {
  test('[resume.5] is not fetched from a server that gives parts, and the rest is the same version', async () => {
    const { asked, stream } = server(PARTS);
    expect(Buffer.compare(await behind(stream, 5 * MIB), FILE.subarray(100_000 + 5 * MIB))).toBe(0);
    expect(asked).toEqual([{ range: `bytes=${100_000 + 5 * MIB}-`, 'if-range': '"v1"' }]);
  });

  test.each([
    ['when it is little', PARTS, MIB],
    ['when the server gives no parts', { etag: '"v1"' }, 5 * MIB],
    ['when the version is not told', { 'accept-ranges': 'bytes' }, 5 * MIB],
    ['when the version is only much the same', { ...PARTS, etag: 'W/"v1"' }, 5 * MIB],
  ])('[resume.5] is read and dropped %s', async (_, headers, count) => {
    const { asked, stream } = server(headers);
    expect(Buffer.compare(await behind(stream, count), FILE.subarray(100_000 + count))).toBe(0);
    expect(asked).toEqual([]);
  });

  test.each([
    [200, 'FILE_CHANGED'],
    [416, 'REMOTE_FAILED'],
    [503, 'REMOTE_FAILED'],
  ])('[resume.5] is an error when the answer is %i', async (status, code) => {
    expect(await codeOfAsync(behind(server(PARTS, status).stream, 5 * MIB))).toBe(code);
  });
});
