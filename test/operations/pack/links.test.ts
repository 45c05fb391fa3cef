import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack } from '../../../src/operations/pack/pack.ts';
import { openInputFile, stampWithin, WholeReader } from '../../../src/storage/sources/input-file.ts';
import { type Desk, makeWorkbench, type Workbench } from '../../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const DISK = 'web-disk1.qcow2';

/** A folder `in` with a descriptor and its disk, and the same disk outside. */
function deskWithLinks(): { readonly desk: Desk; readonly at: (name: string) => string } {
  const desk = workbench.desk('appliance');
  const at = (name: string): string => join(desk.folder, name);
  mkdirSync(at('in'));
  mkdirSync(at('out'));
  renameSync(at('web.ovf'), at('in/web.ovf'));
  renameSync(at(DISK), at(`out/${DISK}`));
  return { desk, at };
}

const packed = (at: (name: string) => string, options: object = {}) =>
  pack([at('in/web.ovf')], { format: 'tar', name: 'web', output: at('web.ova'), ...options });

describe('[links.1] a file that a descriptor names', () => {
  test.each([
    ['a link', (at: (name: string) => string) => symlinkSync(`../out/${DISK}`, at(`in/${DISK}`))],
    ['a link by its whole path', (at) => symlinkSync(at(`out/${DISK}`), at(`in/${DISK}`))],
    [
      'a link to a link',
      (at) => {
        symlinkSync(at(`out/${DISK}`), at('in/between'));
        symlinkSync('between', at(`in/${DISK}`));
      },
    ],
    [
      'a folder of a like name',
      (at) => {
        mkdirSync(at('in-not'));
        renameSync(at(`out/${DISK}`), at(`in-not/${DISK}`));
        symlinkSync(at(`in-not/${DISK}`), at(`in/${DISK}`));
      },
    ],
  ] as readonly [string, (at: (name: string) => string) => void][])(
    'is refused behind %s that leads out',
    async (_, make) => {
      const { desk, at } = deskWithLinks();
      using _desk = desk;
      make(at);
      await expect(packed(at)).rejects.toMatchObject({
        code: 'FILE_UNREADABLE',
        message: expect.stringContaining('leads out of the folder'),
        where: { file: at(`in/${DISK}`) },
      });
      expect((await desk.run('ls')).stdout).not.toContain('web.ova');
      const report = await packed(at, { followLinks: true });
      expect(report).toMatchObject({ exitCode: 0, allowances: ['followLinks'] });
      expect(report.warnings).toContainEqual(expect.stringMatching(/is a link to .* outside of the folder/));
    },
  );

  test('is refused behind a linked folder, and packed when that stays inside', async () => {
    const { desk, at } = deskWithLinks();
    using _desk = desk;
    const text = readFileSync(at('in/web.ovf'), 'utf8');
    writeFileSync(at('in/web.ovf'), text.replaceAll(DISK, `sub/${DISK}`));
    symlinkSync('../out', at('in/sub'));
    await expect(packed(at)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    rmSync(at('in/sub'));
    renameSync(at('out'), at('in/real'));
    symlinkSync('real', at('in/sub'));
    const report = await packed(at);
    expect(report).toMatchObject({ exitCode: 0, allowances: [] });
    expect(report.warnings.join()).not.toContain('is a link');
  });

  test.each([
    '../out/web-disk1.qcow2',
    '/etc/hostname',
    'file:///etc/hostname',
    'sub/../../out/web-disk1.qcow2',
  ])('is never %s', async (href) => {
    const { desk, at } = deskWithLinks();
    using _desk = desk;
    const text = readFileSync(at('in/web.ovf'), 'utf8');
    writeFileSync(at('in/web.ovf'), text.replaceAll(DISK, href));
    await expect(packed(at, { followLinks: true })).rejects.toThrow();
    await expect(packed(at)).rejects.toThrow();
    expect((await desk.run('ls')).stdout).not.toContain('web.ova');
  });

  test('is found beside the name that was given, and may be a hard link', async () => {
    const { desk, at } = deskWithLinks();
    using _desk = desk;
    mkdirSync(at('elsewhere'));
    renameSync(at('in/web.ovf'), at('elsewhere/web.ovf'));
    symlinkSync(at('elsewhere/web.ovf'), at('in/web.ovf'));
    linkSync(at(`out/${DISK}`), at(`in/${DISK}`));
    expect((await packed(at)).exitCode).toBe(0);
  });

  test('is no pipe and no device', async () => {
    const { desk, at } = deskWithLinks();
    using _desk = desk;
    await desk.run(`mkfifo in/${DISK}`);
    await expect(packed(at)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    rmSync(at(`in/${DISK}`));
    symlinkSync('/dev/zero', at(`in/${DISK}`));
    await expect(packed(at)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(packed(at, { followLinks: true })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  test('is the very one that was looked at, when it is read', async () => {
    const { desk, at } = deskWithLinks();
    using _desk = desk;
    const file = at(`in/${DISK}`);
    renameSync(at(`out/${DISK}`), file);
    const stamp = stampWithin(file, at('in'));
    await desk.run(`cp -p in/${DISK} out/other && touch -r in/${DISK} out/other`);
    rmSync(file);
    symlinkSync(at('out/other'), file);
    await using opened = await openInputFile(file);
    expect(opened.stamp).toMatchObject({ size: stamp.size, mtimeNs: stamp.mtimeNs });
    expect(() => opened.expectUnchanged(stamp, 'packed')).toThrow(/changed/);
    await expect(new WholeReader(undefined).read(file, stamp)).rejects.toMatchObject({
      code: 'FILE_CHANGED',
    });
  });
});
