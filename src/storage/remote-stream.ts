import type { SkippableStream } from '../kit/byte-cursor.ts';
import { BundleError } from '../kit/errors.ts';
import { waitFor } from './idle.ts';
import { remoteError } from './remote-error.ts';
import type { SourceOptions } from './source.ts';

/** Fewer bytes come faster than another request. */
const FAR_BYTES = 4 * 1024 * 1024;

/** Asks for the file again, with these headers. */
type Ask = (headers: Readonly<Record<string, string>>) => Promise<Response>;

type Options = SourceOptions & { readonly where: { readonly file: string } };

/**
 * The body of an answer. What is left out of it is asked for no more, where the server can begin in the middle of the
 * very same file. [resume.5]
 */
export class RemoteStream implements SkippableStream, AsyncIterator<Uint8Array> {
  readonly #ask: Ask;
  readonly #options: Options;
  /** by what the server knows this file again; undefined when it gives no parts of it */
  readonly #version: string | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #position = 0;
  #toSkip = 0;

  constructor({ headers }: Response, body: ReadableStream<Uint8Array>, ask: Ask, options: Options) {
    const tag = headers.get('etag') ?? undefined;
    const strong = tag?.startsWith('W/') ? undefined : tag;
    this.#version = headers.get('accept-ranges') === 'bytes' ? strong : undefined;
    this.#reader = body.getReader();
    this.#ask = ask;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  skip(count: number): void {
    this.#toSkip += count;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const { where } = this.#options;
    try {
      if (this.#toSkip >= FAR_BYTES && this.#version !== undefined) await this.#jump(this.#version);
      for (;;) {
        const { done, value } = await waitFor(this.#reader.read(), this.#options, where.file);
        if (done) return { done: true, value: undefined };
        this.#position += value.byteLength;
        const rest = value.subarray(this.#toSkip);
        this.#toSkip -= value.byteLength - rest.byteLength;
        if (rest.byteLength > 0) return { done: false, value: rest };
      }
    } catch (error) {
      await this.return();
      throw remoteError(error, where);
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#reader.cancel().catch(() => {}); // the connection is gone either way
    return { done: true, value: undefined };
  }

  async #jump(version: string): Promise<void> {
    await this.return();
    const { where } = this.#options;
    const start = this.#position + this.#toSkip;
    const { status, headers, body } = await this.#ask({ range: `bytes=${start}-`, 'if-range': version });
    const isPart = status === 206 && headers.get('content-range')?.startsWith(`bytes ${start}-`);
    if (!isPart || !body) {
      await body?.cancel().catch(() => {});
      if (status === 200)
        throw new BundleError('FILE_CHANGED', 'the file on the server changed meanwhile', { where });
      throw new BundleError('REMOTE_FAILED', `the server does not give the rest of the file (${status})`, {
        where,
      });
    }
    this.#reader = body.getReader();
    this.#position = start;
    this.#toSkip = 0;
  }
}
