import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { othersOnTheWay } from '../../src/storage/way-to.ts';
import { makeSandbox } from '../factory/sandbox.ts';

const STRANGER = 54_321;

describe('[import.10] on the way to a destination', () => {
  test('nobody else may rename what is in a folder of ones own', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('a/b'), { recursive: true });
    expect(othersOnTheWay(sandbox.path('a/b'))).toEqual([]);
    expect(othersOnTheWay('/')).toEqual([]);
  });

  test.each(['a', 'a/b', 'a/b/c'])('everybody may, in %s: refused; a sticky folder is fine', (open) => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('a/b/c'), { recursive: true });
    symlinkSync('a/b/c', sandbox.path('link'));
    for (const way of ['a/b/c', 'link']) {
      chmodSync(sandbox.path(open), 0o777);
      expect(() => othersOnTheWay(sandbox.path(way))).toThrow('everybody may rename');
      chmodSync(sandbox.path(open), 0o1777);
      expect(othersOnTheWay(sandbox.path(way))).toEqual([]);
    }
  });

  test('everybody may where a link on the way lies: refused, too', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('safe/inner'), { recursive: true });
    mkdirSync(sandbox.path('open'));
    chmodSync(sandbox.path('open'), 0o777);
    symlinkSync(sandbox.path('safe'), sandbox.path('open/link'));
    symlinkSync('open/link/../safe/inner', sandbox.path('first'));
    expect(() => othersOnTheWay(sandbox.path('open/link'))).toThrow('everybody may rename');
    expect(() => othersOnTheWay(sandbox.path('first'))).toThrow('everybody may rename');
  });

  test('links that lead in a circle are an error', () => {
    using sandbox = makeSandbox();
    symlinkSync('b', sandbox.path('a'));
    symlinkSync('a', sandbox.path('b'));
    expect(() => othersOnTheWay(sandbox.path('a'))).toThrow(/link/);
  });

  const root = process.geteuid?.() === 0;
  if (!root) console.warn('SKIPPED: other owners and groups, since only root can make files for them');

  test.skipIf(!root)(
    'the owner of a folder may, the group of one that it may write to, and the owner of a link',
    () => {
      using sandbox = makeSandbox();
      mkdirSync(sandbox.path('theirs/group/sticky/here'), { recursive: true });
      chownSync(sandbox.path('theirs'), STRANGER, 0);
      chownSync(sandbox.path('theirs/group'), 0, STRANGER);
      chmodSync(sandbox.path('theirs/group'), 0o2775);
      chmodSync(sandbox.path('theirs/group/sticky'), 0o1777);
      symlinkSync('here', sandbox.path('theirs/group/sticky/link'));
      const others = othersOnTheWay(sandbox.path('theirs/group/sticky/link'));
      expect(others).toEqual([
        `the user ${STRANGER} (in ${sandbox.path('theirs')})`,
        `the group ${STRANGER} (in ${sandbox.path('theirs/group')})`,
      ]);
      lchownSync(sandbox.path('theirs/group/sticky/link'), STRANGER, 0);
      expect(othersOnTheWay(sandbox.path('theirs/group/sticky/link')).at(-1)).toContain('owner of the link');
    },
  );

  test.skipIf(!root)('a group of root alone is nobody else', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('group/here'), { recursive: true });
    chmodSync(sandbox.path('group'), 0o775);
    expect(othersOnTheWay(sandbox.path('group/here'))).toEqual([]);
  });
});
