import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../factory/command-line.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('field');
const out = folderForTests();

describe.skipIf(!folder)('what people have met: archives of an odd form', () => {
  test('[repair.1] [repair.6] a sparse member of bsdtar is refused, and with it repaired it is what was signed', async () => {
    const desk = {
      folder: join(folder ?? '', '08-bsdtar-sparse'),
      env: { BULLA_HOME: join(out, 'none'), NO_COLOR: '1' },
    };
    const trust = ['--trust', 'ca.pem', '--at', '2026-11-27'];
    expect((await runHere(desk, 'verify', 'mac.ova', ...trust)).code).toBe(15);
    const repaired = join(out, 'web.ova');
    const { code, stdout } = await runHere(
      desk,
      'normalize',
      '--repair',
      'mac.ova',
      '-o',
      repaired,
      ...trust,
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining('sparse member')]);
    expect((await runHere(desk, 'verify', repaired, ...trust)).code).toBe(0);
  });
});
