import { busyMs } from './run-input.ts';

/** What the thread that feeds is doing, where the one that watches can see it even when the first never answers again. */
export interface Heartbeat {
  readonly shared: SharedArrayBuffer;
  /** Tells that this input is begun. */
  readonly begin: (index: number, input: Uint8Array) => void;
  readonly end: () => void;
  /** The input that is being fed, for how long, and how long it kept a processor busy, in milliseconds; undefined between two. */
  readonly now: () =>
    | { readonly index: number; readonly ms: number; readonly busy: number; readonly input: () => Uint8Array }
    | undefined;
}

const HEADER_BYTES = 20;
const MOST_BYTES = 16 * 1024 * 1024;

/** A heartbeat on new or on shared memory. */
export function openHeartbeat(shared = new SharedArrayBuffer(HEADER_BYTES + MOST_BYTES)): Heartbeat {
  const [busy, index, started, length, worked] = [0, 1, 2, 3, 4] as const;
  const header = new Int32Array(shared, 0, 5);
  const bytes = new Uint8Array(shared, HEADER_BYTES);
  const clock = (): number => Date.now() % 2 ** 31;
  return {
    shared,
    begin: (number, input) => {
      bytes.set(input.subarray(0, MOST_BYTES));
      Atomics.store(header, index, number);
      Atomics.store(header, length, Math.min(input.byteLength, MOST_BYTES));
      Atomics.store(header, started, clock());
      Atomics.store(header, worked, busyMs(process.cpuUsage()));
      Atomics.store(header, busy, 1);
    },
    end: () => {
      Atomics.store(header, busy, 0);
    },
    now: () => {
      if (Atomics.load(header, busy) === 0) return undefined;
      return {
        index: Atomics.load(header, index),
        ms: clock() - Atomics.load(header, started),
        busy: busyMs(process.cpuUsage()) - Atomics.load(header, worked),
        input: () => bytes.slice(0, Atomics.load(header, length)),
      };
    },
  };
}
