import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clean } from '../../src/operations/import/clean.ts';
import { readSeen } from '../../src/storage/trust/seen-revocation.ts';
import { certificateFilesIn, volumeFilesIn } from '../../src/storage/trust/small-files.ts';
import {
  readTimestampAuthorities,
  readTrustFolder,
  revocationFilesIn,
} from '../../src/storage/trust/trust-folder.ts';
import { MarkedFolder } from '../../src/storage/unfinished/marked-folder.ts';
import { sweepLeft } from '../../src/storage/unfinished/sweep.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';

/** A path whose last name is not UTF-8: the bytes of Latin-1. */
function odd(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
}

const READERS: Readonly<Record<string, readonly [string, string, (folder: string) => unknown]>> = {
  'a folder of certificates': ['.', 'é.pem', (folder) => certificateFilesIn(folder)],
  'a folder of volumes': ['.', 'é.ova.001', (folder) => volumeFilesIn(folder)],
  'the folder of publishers': ['publishers', 'é', (folder) => readTrustFolder(folder)],
  'the folder of a publisher': ['publishers/acme', 'é.pem', (folder) => readTrustFolder(folder)],
  'a timestamp authority': ['timestamping/tsa', 'é.crt', (folder) => readTimestampAuthorities(folder)],
  'revocation lists': ['revocation', 'é.crl', (folder) => revocationFilesIn(folder)],
  'what was seen': ['revocation/seen', 'é.json', (folder) => readSeen(folder)],
};

describe('[out.3] a name in a folder that is not UTF-8', () => {
  test.each(Object.entries(READERS))('refuses %s', async (_, [below, name, read]) => {
    for (const twin of [false, true]) {
      using sandbox = makeSandbox();
      const folder = join(sandbox.folder, below);
      mkdirSync(folder, { recursive: true });
      writeFileSync(odd(folder, name), 'not to be passed over');
      // What Node makes of it is the name of another file, which must not be read in its place.
      if (twin) writeFileSync(join(folder, name.replace('é', '\uFFFD')), 'another');
      await expect((async () => read(sandbox.folder))()).rejects.toThrow(/is not UTF-8/);
    }
  });

  test('of a file that would not be read is left alone', () => {
    using sandbox = makeSandbox();
    writeFileSync(odd(sandbox.folder, 'é.txt'), 'a note');
    sandbox.write('a.pem', 'x');
    expect(certificateFilesIn(sandbox.folder)).toEqual([sandbox.path('a.pem')]);
  });

  test('keeps unfinished work from being taken for another’s, listed or removed', () => {
    using sandbox = makeSandbox();
    const purpose = { kind: 'import', base: 'web' } as const;
    const { path } = leave(sandbox, purpose);
    const twin = path.replace('web.', '\uFFFD.');
    renameSync(path, twin);
    mkdirSync(odd(sandbox.folder, twin.slice(sandbox.folder.length + 1).replace('\uFFFD', 'é')));
    const before = sandbox.list();
    expect(clean(sandbox.folder, { remove: true }).leftovers).toEqual([]);
    expect(sweepLeft(sandbox.folder, purpose)).toEqual([]);
    expect(sandbox.list()).toEqual(before);
  });
});

function leave(sandbox: Sandbox, purpose: { readonly kind: 'import'; readonly base: string }): MarkedFolder {
  const folder = MarkedFolder.make(sandbox.folder, purpose);
  folder.leave();
  folder[Symbol.dispose]();
  return folder;
}
