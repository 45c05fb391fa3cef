import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../factory/command-line.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('field');
const out = folderForTests();

/** Runs `bulla pack` within a folder of the vectors, which is read only. */
async function packIn(name: string, ...words: readonly string[]) {
  const outcome = await runHere(
    { folder: join(folder ?? '', name), env: { BULLA_HOME: join(out, '..', 'none') } },
    'pack',
    ...words,
  );
  return { ...outcome, left: readdirSync(out) };
}

describe.skipIf(!folder)('what people have met: pack', () => {
  test('[pack.14] 01: a disk that was damaged since it was exported is not packed', async () => {
    const outcome = await packIn('01-pack-ignores-manifest-beside', 'web.ovf', '-o', join(out, 'o.ova'));
    expect(outcome).toMatchObject({ code: 11, left: [] });
    expect(outcome.stderr).toContain('"web-disk1.img" does not match its sha256 digest in "web.mf" line 2');
    expect(outcome.stderr).toContain('DIGEST_MISMATCH');
    const meant = await packIn(
      '01-pack-ignores-manifest-beside',
      '.',
      '-o',
      join(out, 'o.ova'),
      '--ignore-manifest',
    );
    expect(meant).toMatchObject({ code: 0, left: ['o.ova'] });
    expect(meant.stderr).toContain('--ignore-manifest');
  });

  test.each([['web.ovf'], ['web-disk1.vmdk', '--name', 'm', '--vendor', 'A']])(
    '[pack.18] 11: a sparse VMDK is packed with a warning: %s',
    async (...words) => {
      const output = join(out, `${words[0]}.ova`);
      const { code, stderr } = await packIn('11-sparse-vmdk-no-warning', ...words, '-o', output);
      expect(code).toBe(0);
      expect(stderr).toContain(
        'qemu-img convert -O vmdk -o subformat=streamOptimized -f vmdk web-disk1.vmdk',
      );
      expect(stderr).toContain('"Unsupported or invalid disk type"');
    },
  );
});
