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

/** What is tried so took from five seconds to minutes when the work grew with the square of the input, or had no bound. */
const MOST_MS = 4000;

/** The result of a call that is done long before anybody grows impatient. */
export function inTime<T>(call: () => T): T {
  const started = performance.now();
  const result = call();
  expect(performance.now() - started).toBeLessThan(MOST_MS);
  return result;
}
