import { randomBytes } from 'node:crypto';
import { BlockDigester } from '../../src/crypto/block-digester.ts';
import { digestHex } from '../../src/crypto/digest.ts';
import { formatBlockDigests } from '../../src/formats/blocks/block-digests.ts';
import { descriptorFor, makeMembers, type NamedBytes } from './bundles.ts';

const BLOCK_BYTES = 1024 * 1024;

/** The block digests of `of`, as if it were the file that `as` is. */
export function blocksOf(of: NamedBytes, as = of): NamedBytes {
  const digester = new BlockDigester('sha256', BLOCK_BYTES);
  digester.update(of.bytes);
  const subject = { name: as.name, size: as.bytes.byteLength, algorithm: 'sha256' as const };
  const bytes = formatBlockDigests({ ...subject, digest: digestHex('sha256', as.bytes) }, digester.finish());
  return { name: `${as.name}.blocks`, bytes };
}

/** The members of a signed bundle with one disk of random bytes, and its block digests. */
export async function resumable(
  size: number,
): Promise<{ readonly disk: NamedBytes; readonly members: readonly NamedBytes[] }> {
  const disk = { name: 'disk.img', bytes: Uint8Array.from(randomBytes(size)) };
  const blocks = blocksOf(disk);
  const members = await makeMembers({ files: [descriptorFor('app.ovf', [disk, blocks]), blocks, disk] });
  return { disk, members };
}
