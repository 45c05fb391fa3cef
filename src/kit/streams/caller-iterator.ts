import { type ByteStream, copyBytes } from '../bytes.ts';
import { BundleError, textOf } from '../errors/errors.ts';
import { isBytes } from '../given-bytes.ts';
import { reasonOf } from './idle.ts';

/** How long an iterator may take to close before nobody waits for it any more. */
const CLOSING_MS = 1000;
/** How long a stream that always has something at hand may keep timers and signals waiting. */
const TURN_MS = 10;

const FIX =
  'give a stream of Uint8Array chunks, without an encoding and not in object mode, whose memory stays what it is until the next is asked for';

/** Gives everything else in the process its turn: timers, signals, what comes from the network. */
export type Turn = () => Promise<unknown>;

/**
 * The iterator of a stream that a program hands in, of which nothing is believed.
 *
 * What comes out are copies of our own, made as each chunk comes: so nothing that the stream gives can be taken for its
 * end, or be changed when it has been judged. [stream.1] [stream.2]
 */
export class CallerIterator {
  readonly #name: string;
  readonly #signal: AbortSignal | undefined;
  readonly #turn: Turn;
  readonly #iterator: object;
  readonly #next: () => unknown;
  #pulling = false;
  #over = false;
  /** when everything else in the process had its turn */
  #turned = performance.now();

  /** @throws {BundleError} `USAGE` when the stream has no iterator */
  constructor(stream: ByteStream, name: string, signal: AbortSignal | undefined, turn: Turn) {
    this.#name = name;
    this.#signal = signal;
    this.#turn = turn;
    const iterator = this.#opened(stream);
    const next = this.#read(iterator, 'next');
    if (!isObject(iterator) || typeof next !== 'function') throw this.#misuse('the stream has no iterator');
    this.#iterator = iterator;
    this.#next = () => Reflect.apply(next, iterator, []);
  }

  /** A copy of the next chunk, which may be empty; undefined at the end. @throws {BundleError} `FILE_UNREADABLE`, `USAGE` */
  async pull(): Promise<Uint8Array | undefined> {
    this.#pulling = true;
    try {
      const chunk = this.#chunkOf(await this.#ask());
      // [stream.3] without it no timer fires, and no signal, as long as the stream has something at hand
      if (performance.now() - this.#turned >= TURN_MS) {
        await this.#turn();
        this.#turned = performance.now();
      }
      return chunk;
    } finally {
      this.#pulling = false;
    }
  }

  /** Has the stream close, which may fail, and take its time: the reading has its end already. [stream.4] */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const closing = this.#return().catch(() => {});
    if (this.#pulling) return; // it closes when it wakes, and that may be never
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSING_MS);
    });
    await Promise.race([closing, enough]);
    clearTimeout(timer);
  }

  async #return(): Promise<void> {
    const close: unknown = Reflect.get(this.#iterator, 'return');
    if (typeof close === 'function') await Reflect.apply(close, this.#iterator, []);
  }

  async #ask(): Promise<unknown> {
    try {
      return await this.#next();
    } catch (error) {
      this.#over = true;
      if (this.#signal?.aborted) throw reasonOf(this.#signal);
      throw this.#failure(error);
    }
  }

  #chunkOf(result: unknown): Uint8Array | undefined {
    if (!isObject(result)) throw this.#misuse('the iterator of the stream gives something else than results');
    const done = this.#read(result, 'done');
    if (done !== undefined && typeof done !== 'boolean') {
      throw this.#misuse('the iterator of the stream says neither that it is done nor that it is not');
    }
    if (done) {
      this.#over = true;
      return undefined;
    }
    const value = this.#read(result, 'value');
    if (!isBytes(value)) throw this.#misuse('the stream gives something else than bytes');
    try {
      return copyBytes(value);
    } catch (error) {
      throw this.#misuse('a chunk of the stream cannot be read: its memory is gone or too large', error);
    }
  }

  #opened(stream: ByteStream): unknown {
    try {
      return stream[Symbol.asyncIterator]();
    } catch (error) {
      throw this.#misuse(`the stream cannot be opened: ${textOf(error)}`, error);
    }
  }

  #read(of: unknown, key: string): unknown {
    try {
      return isObject(of) ? Reflect.get(of, key) : undefined;
    } catch (error) {
      throw this.#misuse(`"${key}" of the stream's iterator cannot be read: ${textOf(error)}`, error);
    }
  }

  /** [stream.5] Whatever it calls itself, it is no error of the system about a file: what is wrong with a bundle is ours to say. */
  #failure(error: unknown): BundleError {
    const message = `cannot read the file: ${textOf(error)}`;
    return new BundleError('FILE_UNREADABLE', message, { where: { file: this.#name }, cause: error });
  }

  #misuse(message: string, cause?: unknown): BundleError {
    return new BundleError('USAGE', message, { where: { file: this.#name }, fix: FIX, cause });
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
