import { expect } from 'vitest';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { der } from './der.ts';

/** As many of them as are asked for, one behind the other. */
export function many(count: number, make: (i: number) => Uint8Array): Uint8Array {
  return concat([new Uint8Array(), ...Array.from({ length: count }, (_, i) => make(i))]);
}

/** One element with a text. */
export function textElement(tag: number, value: string): Uint8Array {
  return der(tag, encodeUtf8(value));
}

/**
 * How many yardsticks a call may take. What is tried so took from a hundred of them to thousands when the work grew with the square of
 * the input, or had no bound; now it takes ten at most.
 */
const MOST_YARDSTICKS = 80;

/** Milliseconds for which this process has kept a processor busy: what else the machine does is not in it. */
function workDone(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let yardstick: number | undefined;

/** What a fixed piece of work takes in this process, on this machine, as it is built and tuned: some fiftieth of a second. */
function measureYardstick(): number {
  const rounds = Array.from({ length: 5 }, () => {
    const before = workDone();
    let state = 1;
    for (let i = 0; i < 20_000_000; i++) state = (Math.imul(state, 1_103_515_245) + i) | 0;
    expect(Number.isInteger(state)).toBe(true);
    return workDone() - before;
  });
  return Math.min(...rounds);
}

/** The result of a call that does little work, by no clock: in comparison with other work. */
export function soon<T>(call: () => T): T {
  yardstick ??= measureYardstick();
  const before = workDone();
  const result = call();
  expect((workDone() - before) / yardstick).toBeLessThan(MOST_YARDSTICKS);
  return result;
}

/** The same for work that is waited for, and may be some times as much. */
export async function soonDone<T>(call: () => Promise<T>, times = 1): Promise<T> {
  yardstick ??= measureYardstick();
  const before = workDone();
  const result = await call();
  expect((workDone() - before) / yardstick).toBeLessThan(MOST_YARDSTICKS * times);
  return result;
}
