import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { formatDescriptor } from '../../src/formats/ovf/descriptor-writer.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { image } from '../factory/disk-images.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('virt-v2v --version', 'that virt-v2v reads descriptors which we write');

async function archive(
  members: readonly (readonly [name: string, bytes: Uint8Array])[],
): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, bytes] of members) tar.entry({ name }, Buffer.from(bytes));
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return concat(chunks);
}

describe.skipIf(!here)('virt-v2v', () => {
  const folder = folderForTests();
  beforeAll(() => {});

  test('[desc.18] [desc.23] it reads firmware, networks, name, processors, memory, disks and CD-ROM of a written descriptor', async () => {
    const disk = { href: 'web disk&1.img', size: 1 << 20, capacity: 1 << 20, format: 'raw' as const };
    const iso = { href: 'seed.iso', size: 40960, capacity: 40960, format: 'iso' as const };
    const descriptor = formatDescriptor({
      name: 'web & more',
      cpus: 3,
      memoryMiB: 512,
      firmware: 'efi',
      networks: ['Front', 'Back'],
      disks: [disk, iso],
    });
    const ova = await archive([
      ['web.ovf', encodeUtf8(descriptor)],
      [disk.href, image(disk.size)],
      [iso.href, image(iso.size)],
    ]);
    writeFileSync(join(folder, 'web.ova'), ova);
    const { status, stdout, stderr } = spawnSync('virt-v2v', ['-i', 'ova', 'web.ova', '--print-source'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, LIBGUESTFS_BACKEND: 'direct' },
    });
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/warning/);
    expect(stdout).toMatch(/source name: web & more/);
    expect(stdout).toMatch(/memory: 536870912 /);
    expect(stdout).toMatch(/nr vCPUs: 3/);
    expect(stdout).toMatch(/disks:\s+0 \[scsi\]/);
    expect(stdout).toMatch(/removable media:\s+CD-ROM \[ide\]/);
    expect(stdout).toMatch(/firmware: uefi/);
    expect(stdout).toMatch(/NICs:\s+Bridge "Front" \[e1000\]\s+Bridge "Back" \[e1000\]/);
  });
});
