import type { SkippableStream } from '../../kit/byte-cursor.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Patience } from '../../kit/streams/idle.ts';
import type { Fail, HttpAnswer } from '../remote/http-client.ts';

/** Fewer bytes come faster than another request. */
const FAR_BYTES = 4 * 1024 * 1024;

/** Where a stream gets its bytes from. */
export interface RemoteFile {
  /** the answer with the whole file */
  readonly answer: HttpAnswer;
  /** the bytes of the file, when they are known */
  readonly size: number | undefined;
  /** Asks for the file again, with these headers. */
  readonly ask: (headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>;
  readonly patience: Patience;
  readonly fail: Fail;
  readonly where: { readonly file: string };
}

/**
 * The body of an answer. What is left out of it is asked for no more, where the server can begin in the middle of the
 * very same file. [resume.5]
 */
export class RemoteStream implements SkippableStream, AsyncIterator<Uint8Array> {
  readonly #file: RemoteFile;
  /** by what the server knows this file again; undefined when it gives no parts of it */
  readonly #version: string | undefined;
  #answer: HttpAnswer;
  #body: AsyncIterator<Uint8Array>;
  #position = 0;
  #toSkip = 0;
  /** where this answer must end, when that is known */
  #end: number | undefined;

  constructor(file: RemoteFile) {
    const { answer } = file;
    const isStrong = /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(answer.header('etag') ?? '');
    const givesParts = answer.header('accept-ranges') === 'bytes';
    this.#version = isStrong && givesParts ? answer.header('etag') : undefined;
    this.#file = file;
    this.#answer = answer;
    this.#body = answer.body();
    this.#end = file.size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  skip(count: number): void {
    this.#toSkip += count;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const { patience } = this.#file;
    try {
      if (this.#toSkip >= FAR_BYTES && this.#version !== undefined) await this.#jump(this.#version);
      for (;;) {
        const { done, value } = await patience.wait(this.#body.next());
        if (done) return this.#finish();
        patience.arrived(value.byteLength);
        this.#position += value.byteLength;
        if (this.#end !== undefined && this.#position > this.#end) throw this.#lie('more');
        const rest = value.subarray(this.#toSkip);
        this.#toSkip -= value.byteLength - rest.byteLength;
        if (rest.byteLength > 0) return { done: false, value: rest };
      }
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#answer.close();
    return { done: true, value: undefined };
  }

  #finish(): IteratorResult<Uint8Array> {
    if (this.#end !== undefined && this.#position < this.#end) throw this.#lie('fewer');
    return { done: true, value: undefined };
  }

  async #jump(version: string): Promise<void> {
    const { ask, fail, size, where } = this.#file;
    this.#answer.close();
    const start = this.#position + this.#toSkip;
    const answer = await ask({ range: `bytes=${start}-`, 'if-range': version });
    this.#answer = answer;
    const { status, header } = answer;
    const tag = header('etag');
    // [net.6] another file, or another part of it, must not be joined to what has come
    if (status === 200 || (status === 206 && tag !== undefined && tag !== version)) {
      if (tag === version) throw fail('gives the whole file instead of the rest of it');
      throw new BundleError('FILE_CHANGED', 'the file on the server changed meanwhile', { where });
    }
    const part = partOf(header('content-range'));
    if (status !== 206 || !part || tag !== version || /^multipart\//i.test(header('content-type') ?? '')) {
      throw fail(`does not give the rest of the file (${status})`);
    }
    const { first, last, total } = part;
    if (first !== start || last !== total - 1 || (size !== undefined && total !== size)) {
      throw fail('gives another part of the file than the one asked for');
    }
    this.#body = answer.body();
    this.#position = start;
    this.#toSkip = 0;
    this.#end = total;
  }

  #lie(amount: string): Error {
    return this.#file.fail(`gives ${amount} bytes than it said`);
  }
}

/** The part that a `Content-Range` names: the first byte, the last, and how many the file has. */
function partOf(
  range = '',
): { readonly first: number; readonly last: number; readonly total: number } | undefined {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range) ?? [];
  return total === undefined ? undefined : { first: Number(first), last: Number(last), total: Number(total) };
}
