import { describe, expect, it, test } from 'vitest';
import { BundleError, isBundleError, toBundleError } from '../../../src/kit/errors/errors.ts';

describe('BundleError', () => {
  it('has what, where, why and what to do', () => {
    const error = new BundleError('ARCHIVE_NAME', 'the name is bad', { where: { member: 'a', offset: 512 } });
    expect(error).toMatchObject({
      name: 'BundleError',
      message: 'the name is bad',
      code: 'ARCHIVE_NAME',
      kind: 'archive',
      where: { member: 'a', offset: 512 },
    });
    expect(error.why).not.toBe('');
    expect(error.fix).not.toBe('');
    expect('cause' in error).toBe(false);
  });

  it('takes another reason and another way out', () => {
    const cause = new Error('below');
    const error = new BundleError('USAGE', 'what', { why: 'why', fix: 'fix', cause });
    expect(error).toMatchObject({ why: 'why', fix: 'fix', cause, where: {} });
  });

  it('learns where it happened, and keeps what it knew', () => {
    const cause = new Error('below');
    const first = new BundleError('USAGE', 'what', { where: { offset: 7 }, why: 'why', fix: 'fix', cause });
    const error = first.at({ file: 'f', offset: 0 });
    expect(error).toMatchObject({
      code: 'USAGE',
      message: 'what',
      where: { file: 'f', offset: 7 },
      why: 'why',
      fix: 'fix',
    });
    expect(error.cause).toBe(cause);
    expect(first.where).toEqual({ offset: 7 });
    expect('cause' in new BundleError('USAGE', 'x').at({ file: 'f' })).toBe(false);
  });
});

it('knows an error of another copy of the library', () => {
  const copy = Object.assign(new Error('x'), {
    name: 'BundleError',
    code: 'USAGE',
    fix: 'fix',
    at: () => copy,
  });
  expect(isBundleError(copy)).toBe(true);
  expect(toBundleError(copy)).toBe(copy);
});

test.each([
  new Error('x'),
  Object.assign(new Error('x'), { code: 'ENOENT' }),
  'x',
  undefined,
  null,
  { code: 'USAGE' },
  Object.assign(new Error('x'), { name: 'BundleError', code: 'USAGE', fix: 'fix' }),
  Object.assign(new Error('x'), { name: 'BundleError', code: 'NONE', fix: 'fix', at: () => 1 }),
  Object.assign(new Error('x'), { name: 'BundleError', code: 'toString', fix: 'fix', at: () => 1 }),
])('does not take %o for one, and wraps it', (value) => {
  expect(isBundleError(value)).toBe(false);
  const wrapped = toBundleError(value);
  expect(wrapped.code).toBe('INTERNAL');
  expect(wrapped.message).toMatch(/^unexpected: /);
  expect(wrapped.cause).toBe(value);
});
