import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { collect } from '../../../src/kit/bytes.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { Patience } from '../../../src/kit/streams/idle.ts';
import type { HttpAnswer } from '../../../src/storage/remote/http-client.ts';
import { remoteFailure } from '../../../src/storage/remote/remote-error.ts';
import { RemoteStream } from '../../../src/storage/sources/remote-stream.ts';
import { codeOfAsync } from '../../factory/errors.ts';

const MIB = 1024 * 1024;
const FILE = Uint8Array.from(randomBytes(6 * MIB));
const PARTS = { 'accept-ranges': 'bytes', etag: '"v1"' };
const where = { file: 'https://x/y' };
const START = 100_000 + 5 * MIB;
const END = FILE.byteLength - 1;

async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.slice(at, at + 100_000);
}

type Headers = Readonly<Record<string, string>>;

function answerOf(status: number, headers: Headers, bytes: Uint8Array): HttpAnswer {
  return { status, header: (name) => headers[name], body: () => bodyOf(bytes), close: () => {} };
}

/** What a server answers to the question for the rest of the file. */
interface Part {
  readonly status?: number;
  readonly headers?: Headers;
  readonly bytes?: Uint8Array;
}

/** A server with the file, and what it was asked for. */
function server(headers: Headers, { status = 206, headers: other, bytes }: Part = {}, size?: number) {
  const asked: Headers[] = [];
  const ask = async (sent: Headers): Promise<HttpAnswer> => {
    asked.push({ ...sent });
    const range = { etag: '"v1"', 'content-range': `bytes ${START}-${END}/${FILE.byteLength}`, ...other };
    return answerOf(status, range, bytes ?? FILE.subarray(START));
  };
  const answer = answerOf(200, headers, FILE);
  const patience = new Patience({ idleMs: 60_000 }, where.file);
  const file = { answer, size, ask, patience, fail: remoteFailure(where), where };
  return { asked, stream: new RemoteStream(file) };
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

  test.each<[string, Part, string]>([
    ['the whole of another file', { status: 200, headers: { etag: '"v2"' } }, 'FILE_CHANGED'],
    ['the whole of the same file', { status: 200 }, 'REMOTE_FAILED'],
    ['that there is no such part', { status: 416 }, 'REMOTE_FAILED'],
    ['that it is busy', { status: 503 }, 'REMOTE_FAILED'],
    ['a part of another file', { headers: { etag: '"v2"' } }, 'FILE_CHANGED'],
    ['a part of a file much the same', { headers: { etag: 'W/"v1"' } }, 'FILE_CHANGED'],
    ['a part of a file that it does not name', { headers: { etag: '' } }, 'FILE_CHANGED'],
    ['a part that begins earlier', { headers: range(`${START - 1}-${END}/${END + 1}`) }, 'REMOTE_FAILED'],
    ['a part that begins later', { headers: range(`${START + 1}-${END}/${END + 1}`) }, 'REMOTE_FAILED'],
    ['a part that ends early', { headers: range(`${START}-${END - 1}/${END + 1}`) }, 'REMOTE_FAILED'],
    [
      'a part that ends behind the file',
      { headers: range(`${START}-${END + 1}/${END + 1}`) },
      'REMOTE_FAILED',
    ],
    ['a part of a longer file', { headers: range(`${START}-${END + 9}/${END + 10}`) }, 'REMOTE_FAILED'],
    ['a part of a file of any length', { headers: range(`${START}-${END}/*`) }, 'REMOTE_FAILED'],
    ['a part in other units', { headers: { 'content-range': `lines ${START}-${END}/9` } }, 'REMOTE_FAILED'],
    ['a part of which it does not say where it is', { headers: range('') }, 'REMOTE_FAILED'],
    ['several parts', { headers: { 'content-type': 'multipart/byteranges; boundary=x' } }, 'REMOTE_FAILED'],
    ['more than the part', { bytes: FILE.subarray(START - 5) }, 'REMOTE_FAILED'],
    ['less than the part', { bytes: FILE.subarray(START + 5) }, 'REMOTE_FAILED'],
    ['nothing', { bytes: new Uint8Array() }, 'REMOTE_FAILED'],
  ])('[net.6] [resume.5] is an error when the answer is %s', async (_, part, code) => {
    expect(await codeOfAsync(behind(server(PARTS, part, FILE.byteLength).stream, 5 * MIB))).toBe(code);
  });

  test.each([
    ['more', -1],
    ['fewer', 1],
  ])('[net.6] is an error when the whole has %s bytes than the server said', async (_, off) => {
    const { stream } = server({}, {}, FILE.byteLength + off);
    expect(await codeOfAsync(behind(stream, 5 * MIB))).toBe('REMOTE_FAILED');
  });
});

function range(text: string): Headers {
  return { 'content-range': `bytes ${text}` };
}
