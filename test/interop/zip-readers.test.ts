import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SEVEN_ZIP, ZIP_PEERS } from '../differential/peers.ts';
import { runLine } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

const PEERS = [...ZIP_PEERS, SEVEN_ZIP].map((peer) => ({
  ...peer,
  present: hasPeer(peer.probe, `${peer.name} on zips that we write`),
}));
const SIGNED = '--key signer.key --cert signer.pem';

async function ok(desk: Desk, line: string): Promise<string> {
  const { code, stdout, stderr } = await runLine(desk, line);
  expect(code, `${line}\n${stderr}`).toBe(0);
  return stdout;
}

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

describe('every zip reader sees the members that we wrote', () => {
  describe.each(PEERS)('$name', ({ present, read }) => {
    test.skipIf(!present).for([
      ['an appliance', 'disk.qcow2 data.vmdk', ['web.ovf', 'web.mf', 'web.cert', 'disk.qcow2', 'data.vmdk']],
      ['signature last', 'disk.qcow2 --order trailing', ['web.ovf', 'disk.qcow2', 'web.mf', 'web.cert']],
      [
        'names that are not ASCII',
        '--plain größe.txt 日本.bin',
        ['web.mf', 'web.cert', 'größe.txt', '日本.bin'],
      ],
      ['an empty file and a large one', '--plain empty raw.img', ['web.mf', 'web.cert', 'empty', 'raw.img']],
    ] as const)('[zip.15] %s', async ([, files, names]) => {
      using desk = workbench.desk('disk', 'keys');
      await ok(
        desk,
        'echo a > größe.txt; seq 100000 > 日本.bin; : > empty; truncate -s 3M raw.img; cat data.vmdk >> raw.img',
      );
      await ok(desk, `bulla pack ${files} --name web -o web.zip ${SIGNED}`);
      await ok(desk, 'bulla import web.zip --to ours --trust ca.pem');
      const ours = names.map((name) => {
        const bytes = readFileSync(join(desk.folder, 'ours', name));
        return { name, size: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
      });
      const [theirs] = await read([join(desk.folder, 'web.zip')]);
      expect(theirs).toEqual([...ours].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))));
    });
  });
});

describe('what other writers make of plain files is read', () => {
  test.skipIf(!hasPeer('zip -v', 'zips made by Info-ZIP')).for([
    ['from a file', 'bulla inspect theirs.zip --json'],
    ['through a pipe', 'cat theirs.zip | bulla inspect - --json'],
  ] as const)('[zip.4] Info-ZIP, %s', async ([, inspect]) => {
    using desk = workbench.desk('disk');
    await ok(desk, 'zip -q -X -D theirs.zip disk.qcow2 notes.txt');
    const { stdout, code } = await runLine(desk, inspect);
    expect(code).toBe(16); // sound, and no package
    const { files } = JSON.parse(stdout);
    expect(files.map(({ name }: { name: string }) => name)).toEqual(['disk.qcow2', 'notes.txt']);
  });

  test.skipIf(!hasPeer('python3 -c pass', 'zips made by Python'))(
    '[zip.9] Python, with zip64 asked for',
    async () => {
      using desk = workbench.desk('disk');
      const script = `import zipfile
with zipfile.ZipFile('theirs.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    with z.open('notes.txt', 'w', force_zip64=True) as f: f.write(b'x' * 9999)`;
      await ok(desk, `python3 -c "${script}"`);
      expect((await runLine(desk, 'bulla inspect theirs.zip')).code).toBe(16);
    },
  );
});
