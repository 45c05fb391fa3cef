import { expect } from 'vitest';

/** Bytes are compared as bytes: the general way asks of every one whether it is an object of a test's own kind. */
expect.addEqualityTesters([
  (one: unknown, other: unknown) =>
    one instanceof Uint8Array && other instanceof Uint8Array && one.constructor === other.constructor
      ? Buffer.compare(one, other) === 0
      : undefined,
]);
