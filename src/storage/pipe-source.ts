import { fstatSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { checkAborted } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import { CHUNK_BYTES } from '../kit/limits.ts';
import { waitFor } from './idle.ts';
import { readError } from './io-errors.ts';
import type { Source, SourceOptions } from './source.ts';

/** Chunks read between two looks at signals and timers. */
const TURN_CHUNKS = 32;

/** Standard input as a source; it can be read once. @throws {BundleError} `USAGE` when it is a terminal */
export function openStdin(options: SourceOptions): Source {
  if (isatty(0)) {
    throw new BundleError('USAGE', 'nothing is piped into standard input', {
      why: '"-" reads the bundle from a pipe, and this is a terminal',
      fix: 'pipe the bundle in: curl https://… | bulla verify -',
    });
  }
  return pipeSource(0, '-', options);
}

/** A pipe, socket or device behind an open descriptor; it can be read once, and is closed with the source. */
export function pipeSource(descriptor: number, name: string, options: SourceOptions): Source {
  const blocking = !isWaitable(descriptor);
  const socket = blocking
    ? undefined
    : new Socket({ fd: descriptor, readable: true, writable: false, manualStart: true } as object);
  socket?.on('error', () => {}); // reported by the read that meets it; here it would only crash the process
  return {
    name,
    repeatable: false,
    stream: () => readPipe(descriptor, name, socket, options),
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => {
      socket?.destroy();
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
  socket: Socket | undefined,
  options: SourceOptions,
): AsyncGenerator<Uint8Array, void> {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  for (let turn = 0; ; turn++) {
    if (turn % TURN_CHUNKS === TURN_CHUNKS - 1) await setImmediate(); // a fast pipe never waits, and no signal would be seen
    checkAborted(options.signal);
    const buffer = buffers[turn % 2 === 0 ? 0 : 1];
    let filled = 0;
    let over = false;
    while (filled < buffer.length) {
      // What the socket has taken in while we waited comes first, else bytes would change places.
      const waiting: Buffer | null =
        socket?.read(Math.min(socket.readableLength, buffer.length - filled) || 1) ?? null;
      if (waiting) {
        filled += waiting.copy(buffer, filled);
        continue;
      }
      const count = readNow(descriptor, buffer, filled, name);
      if (count === undefined) break;
      if (count === 0) over = true;
      if (over) break;
      filled += count;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
    if (over || socket?.readableEnded) return;
    if (filled === 0 && socket) await readable(socket, options, name);
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

function readable(socket: Socket, options: SourceOptions, name: string): Promise<void> {
  const listening = new AbortController();
  const event = new Promise<void>((resolve) => {
    for (const type of ['readable', 'end', 'close', 'error'] as const) {
      socket.once(type, resolve);
      listening.signal.addEventListener('abort', () => socket.off(type, resolve));
    }
    socket.read(0); // starts the watch on the descriptor
  });
  return waitFor(event, options, name).finally(() => listening.abort());
}
