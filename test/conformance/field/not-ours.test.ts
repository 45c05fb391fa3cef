import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../factory/command-line.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { makeWorkbench } from '../../factory/workbench.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('field');
const out = folderForTests();

/** Runs a command within a folder of the vectors, which is read only. */
function bullaIn(name: string, ...words: readonly string[]) {
  return runHere(
    { folder: join(folder ?? '', name), env: { BULLA_HOME: join(out, '..', 'none') } },
    ...words,
  );
}

describe.skipIf(!folder)('what people have met: what is not ours', () => {
  test.each(['gns3-like.zip', 'gns3-like.tgz'])('[inner.1] 06: an OVA inside %s', async (name) => {
    const within = '06-ova-inside-zip';
    for (const command of ['verify', 'inspect']) {
      const { code, stderr } = await bullaIn(within, command, name);
      expect(code).toBe(16);
      expect(stderr).toContain('"web.ova" is inside, and is what to verify');
      expect(stderr).toContain(`bulla ${command} ${name} --inner; or unpack it, then: bulla verify web.ova`);
    }
    const trusted = ['--trust', 'ca.pem', '--at', '2026-11-27'];
    const { code, stdout, stderr } = await bullaIn(within, 'verify', name, '--inner', ...trusted);
    expect(stdout).toContain(`web.ova in ${name}  trusted`);
    expect(stderr).toContain('nothing speaks for the archive around it');
    expect(code).toBe(0);
  });

  test.each([
    ['login.ova', 'an HTML page'],
    ['lfs.ova', 'a Git LFS pointer'],
    ['error.ova', 'a text in JSON'],
  ])('[arc.6] 07: %s', async (name, what) => {
    const { code, stderr } = await bullaIn('07-download-is-html-or-lfs', 'verify', name);
    expect(code).toBe(17);
    expect(stderr).toContain(what);
    expect(stderr).not.toContain('bulla pack');
  });

  test('[pax.9] 08: a sparse member of bsdtar', async () => {
    const { code, stderr } = await bullaIn('08-bsdtar-sparse', 'verify', 'mac.ova');
    expect(code).toBe(15);
    expect(stderr).toMatch(/"web-disk1\.img" is a sparse member, as bsdtar/);
    expect(stderr).toContain('tar --format=ustar -cf NEW.ova -T LIST');
  });

  test('[arc.7] 09: a Vagrant box', async () => {
    using workbench = await makeWorkbench();
    using desk = workbench.desk('keys');
    const { code, stderr } = await bullaIn('09-vagrant-box', 'inspect', 'web.box');
    expect(code).toBe(15);
    expect(stderr).toContain('a Vagrant box is no bundle');
    expect(stderr).toContain('bulla sign FILE --detached');
    const key = ['--key', join(desk.folder, 'signer.key'), '--cert', join(desk.folder, 'signer.pem')];
    const output = ['-o', join(out, 'b.tgz'), '--name', 'box', ...key];
    const packed = await bullaIn('09-vagrant-box', 'pack', '--plain', 'box.ovf', 'metadata.json', ...output);
    expect(packed).toMatchObject({ code: 16, stderr: expect.stringContaining('PACKAGE_AMBIGUOUS') });
    expect(packed.stderr).toContain('give the descriptor alone');
    expect(packed.stderr).not.toContain('rename');
    const edited = ['sign', 'edited.ova', '-o', join(out, 's.ova'), ...key];
    const signed = await bullaIn('10-sign-own-edited-ovf', ...edited);
    expect(signed).toMatchObject({ code: 11 });
    expect(signed.stderr).toMatch(
      /if you changed "web\.ovf" yourself, .*: bulla pack FOLDER\/web\.ovf -o \S+ --key/,
    );
    expect(signed.stderr).not.toContain('report it to the publisher');
  });
});
