import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runLine } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

/** A member as a reader sees it. */
interface Member {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** Reads the members of an archive in their order. */
type Reader = (desk: Desk, archive: string) => Promise<readonly Member[]>;

const PYTHON = `
import hashlib, json, sys, tarfile
with tarfile.open(sys.argv[1]) as tar:
    print(json.dumps([{"name": m.name, "size": m.size, "sha256": hashlib.sha256(tar.extractfile(m).read()).hexdigest()}
                      for m in tar]))
`;

const READERS: readonly (readonly [name: string, present: boolean, read: Reader])[] = [
  [
    'GNU tar',
    hasPeer('tar --show-defaults', 'GNU tar on our archives'),
    (desk, archive) => byTar(desk, 'tar', archive),
  ],
  [
    'bsdtar',
    hasPeer('bsdtar --version', 'bsdtar on our archives'),
    (desk, archive) => byTar(desk, 'bsdtar', archive),
  ],
  ['python3 tarfile', hasPeer('python3 -c pass', 'tarfile of Python on our archives'), byPython],
  ['tar-stream', true, byTarStream],
];

describe('every tar reader sees the members that we wrote', () => {
  let workbench: Workbench;
  beforeAll(async () => {
    workbench = await makeWorkbench();
  });
  afterAll(() => workbench[Symbol.dispose]());

  describe.each(READERS)('%s', (_, present, read) => {
    test.skipIf(!present).for([
      ['web.ova', 'leading', ['web.ovf', 'web.mf', 'web.cert', 'disk.qcow2', 'data.vmdk']],
      ['web.ova', 'trailing', ['web.ovf', 'disk.qcow2', 'data.vmdk', 'web.mf', 'web.cert']],
      ['web.tgz', 'leading', ['web.ovf', 'web.mf', 'web.cert', 'disk.qcow2', 'data.vmdk']],
      ['web.tgz', 'trailing', ['web.ovf', 'disk.qcow2', 'data.vmdk', 'web.mf', 'web.cert']],
    ] as const)('%s, signature %s', async ([archive, order, names]) => {
      using desk = workbench.desk('disk', 'keys');
      const signed = '--key signer.key --cert signer.pem';
      await ok(desk, `bulla pack disk.qcow2 data.vmdk -o ${archive} --order ${order} ${signed}`);
      await ok(desk, `bulla import ${archive} --to ours --trust ca.pem`);
      const ours = names.map((name) => memberOf(name, readFileSync(join(desk.folder, 'ours', name))));
      expect(await read(desk, archive)).toEqual(ours);
    });
  });
});

async function byTar(desk: Desk, tar: string, archive: string): Promise<readonly Member[]> {
  const names = (await ok(desk, `${tar} -tf ${archive}`)).trimEnd().split('\n');
  await ok(desk, `mkdir theirs && ${tar} -xf ${archive} -C theirs`);
  return names.map((name) => memberOf(name, readFileSync(join(desk.folder, 'theirs', name))));
}

async function byPython(desk: Desk, archive: string): Promise<readonly Member[]> {
  return JSON.parse(await ok(desk, `python3 -c '${PYTHON}' ${archive}`));
}

async function byTarStream(desk: Desk, archive: string): Promise<readonly Member[]> {
  const file = createReadStream(join(desk.folder, archive));
  const tar = extract();
  (archive.endsWith('.tgz') ? file.pipe(createGunzip()) : file).pipe(tar);
  const members: Member[] = [];
  for await (const entry of tar) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk);
    members.push({ ...memberOf(entry.header.name, Buffer.concat(chunks)), size: entry.header.size ?? -1 });
  }
  return members;
}

function memberOf(name: string, bytes: Uint8Array): Member {
  return { name, size: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function ok(desk: Desk, line: string): Promise<string> {
  const { code, stdout, stderr } = await runLine(desk, line);
  expect(code, `${line}\n${stderr}`).toBe(0);
  return stdout;
}
