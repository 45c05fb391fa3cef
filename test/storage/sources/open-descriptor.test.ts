import { fstatSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { openInto, READ, whileOpen } from '../../../src/storage/sources/open-descriptor.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

const sandbox = makeSandbox();
const FILE = sandbox.write('file', 'text');
afterAll(() => sandbox[Symbol.dispose]());

it('closes what is open for a while, whether or not it could be used', () => {
  let seen = -1;
  const size = whileOpen(FILE, READ, (descriptor) => {
    seen = descriptor;
    return fstatSync(descriptor).size;
  });
  expect(size).toBe(4);
  expect(() => fstatSync(seen)).toThrow('EBADF');
  const failing = (descriptor: number): never => {
    seen = descriptor;
    throw new Error('no use');
  };
  expect(() => whileOpen(FILE, READ, failing)).toThrow('no use');
  expect(() => fstatSync(seen)).toThrow('EBADF');
});

it('leaves open what something was made of, and closes it when nothing was', () => {
  const descriptor = openInto(FILE, READ, (one) => one);
  expect(fstatSync(descriptor).size).toBe(4);
  let seen = -1;
  expect(() =>
    openInto(FILE, READ, (one) => {
      seen = one;
      throw new Error('no use');
    }),
  ).toThrow('no use');
  expect(seen).not.toBe(descriptor);
  expect(() => fstatSync(seen)).toThrow('EBADF');
});

it('says what the system says of a file that is not there', () => {
  for (const open of [whileOpen, openInto])
    expect(() => open(`${FILE}.not`, READ, () => 0)).toThrow('ENOENT');
});
