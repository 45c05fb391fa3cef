import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { runLine } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

const NAMES = ['web.ovf', 'web.mf', 'web.cert', 'disk.img'];
const UNTESTED = 'whether archives that it writes can be repaired';
const BSDTAR = hasPeer('bsdtar --version', UNTESTED);
const ZIP = hasPeer('zip -v', UNTESTED);
const PYTHON = hasPeer('python3 -c pass', UNTESTED);

/** A disk with a hole, on file systems that have them. */
const HOLES =
  'head -c 5000 /dev/urandom > disk.img && truncate -s 300000 disk.img && head -c 5000 /dev/urandom >> disk.img';

type Make = (desk: Desk, archive: string) => Promise<unknown>;

/** A command that writes the files of a signed package into an archive; it stands in their folder. */
const by =
  (command: string): Make =>
  async (desk, archive) => {
    const { code, stderr } = await runLine(desk, `cd set && ${command.replace('OUT', `../${archive}`)}`);
    expect([code, stderr]).toEqual([0, '']);
  };

const FILES = NAMES.join(' ');
const MAKERS: readonly (readonly [
  how: string,
  present: boolean,
  /** of verify */
  code: number,
  name: string,
  make: Make,
])[] = [
  ['tar', true, 0, 'odd.tar', by(`tar cf OUT ${FILES}`)],
  ['tar of a folder', true, 15, 'odd.tar', by('tar cf OUT .')],
  ['tar, v7', true, 15, 'odd.tar', by(`tar --format=v7 -cf OUT ${FILES}`)],
  ['tar, posix', true, 0, 'odd.tar', by(`tar --format=posix -cf OUT ${FILES}`)],
  ['tar, sparse', true, 15, 'odd.tar', by(`tar -Scf OUT ${FILES}`)],
  [
    'tar, sparse in pax',
    true,
    15,
    'odd.tar',
    by(`tar --format=posix --sparse-version=0.1 -Scf OUT ${FILES}`),
  ],
  ['tar with a label', true, 15, 'odd.tar', by(`tar --label=web -cf OUT ${FILES}`)],
  [
    'tar, compressed in two parts',
    true,
    15,
    'odd.tgz',
    by(`tar cf - ${FILES} | (head -c 2000 | gzip; gzip) > OUT`),
  ],
  ['bsdtar', BSDTAR, 15, 'odd.tar', by(`bsdtar -cf OUT ${FILES}`)],
  ['bsdtar, a zip into a pipe', BSDTAR, 15, 'odd.zip', by(`bsdtar --format=zip -cf - ${FILES} | cat > OUT`)],
  ['zip', ZIP, 0, 'odd.zip', by(`zip -q OUT ${FILES}`)],
  ['zip of a folder', ZIP, 0, 'odd.zip', by('zip -qr OUT .')],
  ['zip into a pipe', ZIP, 0, 'odd.zip', by(`zip -q - ${FILES} | cat > OUT`)],
  [
    'zip behind a script',
    ZIP,
    17,
    'odd.zip',
    by(`zip -q z.zip ${FILES} && (echo '#!/bin/sh'; cat z.zip) > OUT && rm z.zip`),
  ],
  ['python3 zipfile', PYTHON, 0, 'odd.zip', by(`python3 -m zipfile -c OUT ${FILES}`)],
  ['python3 tarfile', PYTHON, 0, 'odd.tar', by(`python3 -m tarfile -c OUT ${FILES}`)],
  ['tar-stream', true, 15, 'odd.tar', byTarStream],
  ['yazl, sizes unknown', true, 15, 'odd.zip', byYazl],
];

describe('a package that another tool has put together', () => {
  let workbench: Workbench;
  beforeAll(async () => {
    workbench = await makeWorkbench();
  });
  afterAll(() => workbench[Symbol.dispose]());

  test.each(MAKERS.filter(([, present]) => present))(
    '[repair.1] [repair.5] by %s: repaired, it is the bundle that was signed',
    async (_how, _present, code, name, make) => {
      using desk = workbench.desk('disk', 'keys');
      await ok(desk, HOLES);
      await ok(
        desk,
        `bulla pack disk.img --name web --vendor Acme -o web.ova --key signer.key --cert signer.pem -q`,
      );
      await ok(
        desk,
        'mkdir set && tar xf web.ova -C set && cp --sparse=always disk.img set && touch -d 2020-01-01 set/*',
      );
      await make(desk, name);
      expect((await runLine(desk, `bulla verify ${name} --trust ca.pem -q`)).code).toBe(code);
      await ok(desk, `bulla normalize --repair ${name} -o fixed.ova --trust ca.pem -q`);
      expect(Buffer.compare(at(desk, 'fixed.ova'), at(desk, 'web.ova'))).toBe(0);
      await ok(desk, 'bulla verify fixed.ova --trust ca.pem -q');
      await ok(desk, 'tar tf fixed.ova > list');
      expect(at(desk, 'list').toString().trim().split('\n')).toEqual(NAMES);
    },
  );
});

const at = ({ folder }: Desk, name: string): Buffer => readFileSync(join(folder, name));

async function ok(desk: Desk, line: string): Promise<void> {
  const { code, stdout, stderr } = await runLine(desk, line);
  expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
}

async function byTarStream(desk: Desk, archive: string): Promise<void> {
  const tar = pack();
  for (const name of NAMES) tar.entry({ name: `./${name}`, mode: 0o600 }, at(desk, `set/${name}`));
  tar.finalize();
  await pipeline(tar, createWriteStream(join(desk.folder, archive)));
}

async function byYazl(desk: Desk, archive: string): Promise<void> {
  const zip = new ZipFile();
  for (const name of NAMES) zip.addReadStream(createReadStream(join(desk.folder, 'set', name)), name);
  zip.end({ forceZip64Format: false, comment: 'made by hand' });
  await pipeline([await buffer(zip.outputStream)], createWriteStream(join(desk.folder, archive)));
}
