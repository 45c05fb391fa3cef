import { chmodSync, chownSync, lchownSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toBundleError } from '../../src/kit/errors/errors.ts';
import { expectOwnWay } from '../../src/storage/way-to.ts';
import { makeSandbox } from '../factory/sandbox.ts';

const STRANGER = 54_321;

describe('[import.10] on the way to a destination', () => {
  test('nobody else may rename what is in a folder of ones own', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('a/b'), { recursive: true });
    expectOwnWay(sandbox.path('a/b'));
    expectOwnWay('/');
  });

  test.each(['a', 'a/b', 'a/b/c'])('everybody may, in %s: refused; a sticky folder is fine', (open) => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('a/b/c'), { recursive: true });
    symlinkSync('a/b/c', sandbox.path('link'));
    for (const way of ['a/b/c', 'link']) {
      chmodSync(sandbox.path(open), 0o777);
      expect(() => expectOwnWay(sandbox.path(way))).toThrow('everybody may rename');
      chmodSync(sandbox.path(open), 0o1777);
      expectOwnWay(sandbox.path(way));
    }
  });

  test('everybody may where a link on the way lies: refused, too', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('safe/inner'), { recursive: true });
    mkdirSync(sandbox.path('open'));
    chmodSync(sandbox.path('open'), 0o777);
    symlinkSync(sandbox.path('safe'), sandbox.path('open/link'));
    symlinkSync('open/link/../safe/inner', sandbox.path('first'));
    expect(() => expectOwnWay(sandbox.path('open/link'))).toThrow('everybody may rename');
    expect(() => expectOwnWay(sandbox.path('first'))).toThrow('everybody may rename');
  });

  test('links that lead in a circle are an error', () => {
    using sandbox = makeSandbox();
    symlinkSync('b', sandbox.path('a'));
    symlinkSync('a', sandbox.path('b'));
    expect(() => expectOwnWay(sandbox.path('a'))).toThrow(/link/);
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
      lchownSync(sandbox.path('theirs/group/sticky/link'), STRANGER, 0);
      const way = sandbox.path('theirs/group/sticky/link');
      expect(refusalOf(way)).toEqual([
        sandbox.path('theirs'),
        `the user ${STRANGER} may rename and delete what is in this folder, whose owner this is`,
        expect.stringContaining('run this as the owner'),
      ]);
      chmodSync(sandbox.path('theirs'), 0o1755); // its owner may, sticky or not
      expect(refusalOf(way)[0]).toBe(sandbox.path('theirs'));
      chownSync(sandbox.path('theirs'), 0, 0);
      expect(refusalOf(way)).toEqual([
        sandbox.path('theirs/group'),
        `the group ${STRANGER} may rename and delete what is in this folder`,
        expect.stringContaining('chmod g-w'),
      ]);
      chmodSync(sandbox.path('theirs/group'), 0o1775);
      expect(refusalOf(way)).toEqual([
        way,
        `the user ${STRANGER} may replace this link, whose owner this is`,
        expect.stringContaining('run this as the owner'),
      ]);
      lchownSync(way, 0, 0);
      expectOwnWay(way);
    },
  );

  const empty = root ? groupOfNobody() : undefined;
  test.skipIf(empty === undefined)('a group in which nobody is named may have others from elsewhere', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('group/here'), { recursive: true });
    chownSync(sandbox.path('group'), 0, empty ?? 0);
    chmodSync(sandbox.path('group'), 0o2775);
    expect(refusalOf(sandbox.path('group/here'))[1]).toMatch(/^the group \S+ may rename/);
  });

  test.skipIf(!root)('a group of root alone is nobody else', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('group/here'), { recursive: true });
    chmodSync(sandbox.path('group'), 0o775);
    expectOwnWay(sandbox.path('group/here'));
  });
});

/** A group that the files of the system know, and list nobody in. */
function groupOfNobody(): number | undefined {
  const lines = (file: string): readonly (readonly string[])[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  const primary = new Set(lines('/etc/passwd').map(([, , , gid]) => gid));
  const found = lines('/etc/group').find(([, , gid, members]) => members === '' && !primary.has(gid));
  return found && Number(found[2]);
}

/** Where, what, and what to do. */
function refusalOf(folder: string): readonly (string | undefined)[] {
  try {
    expectOwnWay(folder);
  } catch (error) {
    const { where, message, fix } = toBundleError(error);
    return [where.file, message, fix];
  }
  return [];
}
