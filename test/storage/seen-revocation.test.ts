import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSeen, type SeenMark, seenFileOf, writeSeen } from '../../src/storage/seen-revocation.ts';
import { makeSandbox } from '../factory/sandbox.ts';

const OLD = { thisUpdate: new Date('2026-01-01T00:00:00Z'), number: 7n };
const NEW = { thisUpdate: new Date('2026-02-01T00:00:00Z'), number: 2n ** 70n };

describe('seen revocation information', () => {
  test('[rev.9] is remembered across runs, numbers of any size included', async () => {
    using sandbox = makeSandbox();
    expect([...readSeen(sandbox.folder)]).toEqual([]);
    await writeSeen(sandbox.folder, new Map([['a', NEW]]));
    expect([...readSeen(sandbox.folder)]).toEqual([['a', NEW]]);
    expect(sandbox.list()).toEqual(['revocation/', 'revocation/seen.json']);
  });

  test('[rev.9] a mark never goes back, and others stay', async () => {
    using sandbox = makeSandbox();
    await writeSeen(sandbox.folder, new Map([['a', NEW]]));
    await writeSeen(
      sandbox.folder,
      new Map<string, SeenMark>([
        ['a', OLD],
        ['b', { thisUpdate: OLD.thisUpdate }],
      ]),
    );
    const marks = readSeen(sandbox.folder);
    expect(marks.get('a')).toEqual(NEW);
    expect(marks.get('b')).toEqual({ thisUpdate: OLD.thisUpdate });
  });

  test.each([
    'no json',
    '[]',
    'null',
    '{"format":"other/1","marks":{}}',
    '{"format":"bulla.seen/1","marks":{"a":{}}}',
    '{"format":"bulla.seen/1","marks":{"a":{"thisUpdate":"soon"}}}',
    '{"format":"bulla.seen/1","marks":{"a":{"thisUpdate":"2026-01-01T00:00:00Z","number":"x"}}}',
  ])('[rev.9] a damaged record is refused, not forgotten: %s', (text) => {
    using sandbox = makeSandbox();
    sandbox.write('revocation/seen.json', text);
    expect(() => readSeen(sandbox.folder)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', where: { file: seenFileOf(sandbox.folder) } }),
    );
  });
});

const mark = (second: number): SeenMark => ({ thisUpdate: new Date(second * 1000), number: 2n ** 500n });
const owner = (name: string): string => name.repeat(64).slice(0, 64);

test('[rev.9] the marks of one authority do not drive out those of another', async () => {
  using sandbox = makeSandbox();
  await writeSeen(sandbox.folder, new Map([[`crl ${owner('a')} `, mark(1)]]));
  const many = Array.from({ length: 5000 }, (_, i) => [`ocsp ${owner('b')} ${i}`, mark(1000 + i)] as const);
  await writeSeen(sandbox.folder, new Map(many));
  const seen = readSeen(sandbox.folder);
  expect(seen.get(`crl ${owner('a')} `)).toEqual(mark(1));
  expect(seen.get(`ocsp ${owner('b')} 4999`)).toEqual(mark(5999));
  expect(seen.size).toBe(257);
});

test('[rev.9] as many marks as are kept can be read again', async () => {
  using sandbox = makeSandbox();
  const many = Array.from(
    { length: 5000 },
    (_, i) => [`ocsp ${owner(`${i % 100}x`)} ${'f'.repeat(120)}${i}`, mark(i)] as const,
  );
  await writeSeen(sandbox.folder, new Map(many));
  expect(readSeen(sandbox.folder).size).toBe(2000);
  expect(statSync(seenFileOf(sandbox.folder)).size).toBeLessThan(1024 * 1024);
});
