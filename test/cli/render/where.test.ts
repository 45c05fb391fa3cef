import { describe, expect, test } from 'vitest';
import { tellWhere } from '../../../src/cli/render/render-error.ts';
import type { Where } from '../../../src/kit/errors/errors.ts';
import { makeScreen } from '../screen.ts';

function told(where: Where): readonly string[] {
  const { context, err } = makeScreen();
  tellWhere(where, context);
  return err.map((row) => row.trim().replace(/^where +/, ''));
}

describe('[cli.4] a place says in what its byte is counted', () => {
  test.each<[Where, readonly string[]]>([
    [
      { file: 'cut.ova', member: 'disk.vmdk', offset: 1024 },
      ['cut.ova, disk.vmdk, byte 1024 of the archive'],
    ],
    [{ file: 'cut.zip', offset: 1024 }, ['cut.zip, byte 1024 of the archive']],
    [{ member: 'disk.vmdk', offset: 0 }, ['disk.vmdk, byte 0 of the archive']],
    [{ file: 'notes.txt', offset: 0 }, ['notes.txt']],
    [{ file: 'web', member: 'disk.vmdk', memberOffset: 12 }, ['web, byte 12 of disk.vmdk']],
    [
      { file: 'web.ova', member: 'disk.vmdk', memberOffset: 0, offset: 512 },
      ['web.ova, byte 0 of disk.vmdk, byte 512 of the archive'],
    ],
    [{ file: 'web.tgz', compressedOffset: 3 }, ['web.tgz, byte 3 of the compressed archive']],
    [{ member: 'disk.gz', memberOffset: 3, compressedOffset: 3 }, ['byte 3 of disk.gz']],
    [{ member: 'web.mf', line: 3 }, ['web.mf, line 3']],
    [{}, []],
  ])('%o', (where, rows) => {
    expect(told(where)).toEqual(rows);
  });
});
