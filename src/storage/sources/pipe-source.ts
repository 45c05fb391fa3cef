import { closeSync, fstatSync, readSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { checkAborted } from '../../kit/bytes.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import type { Source, SourceOptions } from '../../kit/source.ts';
import { Patience } from '../../kit/streams/idle.ts';
import { readError } from '../io-errors.ts';
import { spoolable } from './private-file.ts';

/** Standard input stays open: it is not ours to close. */
export const STDIN = 0;
/** Chunks read between two looks at signals and timers. */
const TURN_CHUNKS = 32;

/** So much is handled at once: meanwhile the writer fills the pipe again, and asking an empty one costs more than that. */
const ENOUGH_BYTES = 64 * 1024;

/** Between two readings of a terminal at which nothing is typed. */
const ASK_MS = 20;

/** What a pipe holds at most, unless it was told otherwise. */
const ARRIVAL_BYTES = 64 * 1024;

/** A pipe, socket or device behind an open descriptor; it can be read once, and is closed with the source. */
export function pipeSource(descriptor: number, name: string, options: SourceOptions): Source {
  const arrivals = isWaitable(descriptor) ? new Arrivals(descriptor) : undefined;
  let open = true;
  return {
    name,
    repeatable: false,
    stream: () => spoolable(readPipe(descriptor, name, arrivals, options), options),
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => {
      if (arrivals) arrivals.close();
      else if (descriptor !== STDIN && open) closeSync(descriptor);
      open = false;
    },
  };
}

function isWaitable(descriptor: number): boolean {
  const stats = fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket();
}

/**
 * Reads what is there straight into a large buffer, and waits only when nothing is: a read that blocked a
 * thread could be neither timed out nor interrupted.
 */
async function* readPipe(
  descriptor: number,
  name: string,
  arrivals: Arrivals | undefined,
  options: SourceOptions,
): AsyncGenerator<Uint8Array, void> {
  const patience = new Patience(options, name);
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  // Waits first, for a named pipe that nobody writes to yet looks like one that has ended.
  if (arrivals) await patience.wait(arrivals.next());
  for (let turn = 0; ; ) {
    if (turn % TURN_CHUNKS === TURN_CHUNKS - 1) await setImmediate(); // a fast pipe never waits, and no signal would be seen
    checkAborted(options.signal);
    const buffer = buffers[turn % 2 === 0 ? 0 : 1];
    // What came while we waited is first, else bytes would change places.
    let filled = arrivals?.take(buffer) ?? 0;
    let over = false;
    while (filled < ENOUGH_BYTES && !over && !arrivals?.ended) {
      const count = readNow(descriptor, buffer, filled, name);
      if (count === undefined) break;
      filled += count;
      over = count === 0;
    }
    patience.arrived(filled);
    if (filled > 0) {
      yield buffer.subarray(0, filled);
      turn++; // only now: a buffer that is filled again any sooner may still be on its way to the disk
    }
    if (over || arrivals?.ended) return arrivals?.checkFailed(name);
    if (filled === 0) await patience.wait(arrivals?.next() ?? setTimeout(ASK_MS)); // a terminal tells nobody
  }
}

/** Bytes read without waiting; 0 at the end, undefined when there are none yet. */
function readNow(descriptor: number, buffer: Buffer, at: number, name: string): number | undefined {
  try {
    return readSync(descriptor, buffer, at, buffer.length - at, null);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return undefined;
    if (code === 'EOF') return 0;
    throw readError(error, name);
  }
}

/**
 * Waits for bytes of a pipe or socket. The wait ends by reading the first of them, into one buffer that serves
 * every time: a stream's own would be a new one for each read, and pile up until they are collected.
 */
class Arrivals {
  readonly #socket: Socket;
  readonly #buffer = Buffer.allocUnsafeSlow(ARRIVAL_BYTES);
  #length = 0;
  #wake: () => void = () => {};
  #failure: unknown;
  ended = false;

  constructor(descriptor: number) {
    const callback = (count: number): boolean => {
      this.#length = count;
      this.#wake();
      return false; // stops, so that nothing is read before these bytes are taken
    };
    const onread = { buffer: this.#buffer, callback };
    // `manualStart` is missing in the typings; without it, reading begins at once.
    const options = { fd: descriptor, readable: true, writable: false, manualStart: true, onread };
    this.#socket = new Socket(options as SocketConstructorOpts);
    this.#socket.on('error', (error) => {
      this.#failure = error;
    });
    for (const type of ['end', 'close'] as const) {
      this.#socket.on(type, () => {
        this.ended = true;
        this.#wake();
      });
    }
  }

  /** Resolves when there are bytes to take, or there will be none any more. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#socket.resume();
    });
  }

  /** Moves the bytes that ended the wait to the front of `target`, which holds a chunk. */
  take(target: Buffer): number {
    const count = this.#buffer.copy(target, 0, 0, this.#length);
    this.#length = 0;
    return count;
  }

  /** @throws {BundleError} `FILE_UNREADABLE` when an error ended it */
  checkFailed(name: string): void {
    if (this.#failure) throw readError(this.#failure, name);
  }

  close(): void {
    this.#socket.destroy();
  }
}
