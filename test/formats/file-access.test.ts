import { describe, expect, test } from 'vitest';
import { fileMode, fileOwner, folderModeFor, formatMode } from '../../src/formats/file-access.ts';
import { codeOf } from '../factory/errors.ts';

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  return 'taken';
};

describe('[import.13] a mode', () => {
  test.each([
    [0o600, '0700'],
    [0o400, '0700'],
    [0o640, '0750'],
    [0o660, '0750'],
    [0o440, '0750'],
    [0o644, '0755'],
    [0o604, '0705'],
    [0o620, '0700'],
  ])('for data is taken, and folders go with it: %o', (mode, folder) => {
    expect(fileMode(mode, 'mode')).toBe(mode);
    expect(formatMode(folderModeFor(mode))).toBe(folder);
  });

  test('lets nobody but the owner write to folders, or enter one for files that he may not read', () => {
    for (let mode = 0; mode <= 0o777; mode++) {
      const folder = folderModeFor(mode);
      expect(folder & 0o022).toBe(0);
      for (const read of [0o040, 0o004]) {
        expect(Boolean(folder & read)).toBe(Boolean(mode & read));
        expect(Boolean(folder & (read >> 2))).toBe(Boolean(mode & read));
      }
    }
  });

  test.each([
    [0o4640, 'setuid, setgid or sticky'],
    [0o2640, 'setuid, setgid or sticky'],
    [0o1640, 'setuid, setgid or sticky'],
    [640, 'setuid, setgid or sticky'], // a slip: 0o1200
    [644, 'setuid, setgid or sticky'],
    [600, 'setuid, setgid or sticky'],
    [0o750, 'makes programs'],
    [0o641, 'makes programs'],
    [0o666, 'everybody write'],
    [0o602, 'everybody write'],
    [0o240, 'owner read'],
    [0, 'owner read'],
  ])('of another kind is refused: %o', (mode, why) => {
    expect(messageOf(() => fileMode(mode, 'mode'))).toContain(why);
    expect(codeOf(() => fileMode(mode, 'mode'))).toBe('USAGE');
  });

  test.each([-1, 0o10000, 1.5, Number.NaN, '0640', null])('that is none is refused: %s', (mode) => {
    expect(codeOf(() => fileMode(mode, 'mode'))).toBe('USAGE');
  });
});

describe('[import.13] an owner', () => {
  test.each([{ uid: 107 }, { gid: 0 }, { uid: 0, gid: 4_294_967_294 }])('is taken: %j', (owner) => {
    expect(fileOwner(owner, 'owner')).toEqual(owner);
  });

  test.each([{}, { uid: -1 }, { gid: 4_294_967_295 }, { uid: 1.5 }, { uid: 'qemu' }, { user: 1 }, 107])(
    'is refused: %j',
    (owner) => {
      expect(codeOf(() => fileOwner(owner, 'owner'))).toBe('USAGE');
    },
  );
});
