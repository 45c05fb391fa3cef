import { gzipSync } from 'node:zlib';
import {
  appliance,
  DISK,
  descriptorFor,
  makeBundle,
  type NamedBytes,
  NOTES,
  noiseFile,
  textFile,
} from '../factory/bundles.ts';
import type { BundleVector } from './bundles.ts';

const GOOD = { exitCode: 0, codes: [] } as const;

/** A disk in chunks of 1000 bytes, `sizes` one for each chunk by index; undefined: that chunk is missing. */
function chunks(sizes: readonly (number | undefined)[], size = 'ovf:size="2500"'): () => Promise<Uint8Array> {
  const parts = sizes.flatMap((bytes, i) =>
    bytes === undefined ? [] : [noiseFile(`big.img.${String(i).padStart(9, '0')}`, bytes)],
  );
  const descriptor = descriptorFor('app.ovf', ['big.img'], { attributes: `ovf:chunkSize="1000" ${size}` });
  return () => makeBundle({ files: [descriptor, ...parts] });
}

const COMPRESSED: NamedBytes = { name: 'disk.img.gz', bytes: gzipSync(DISK.bytes) };
const EXTRA = textFile('extra.txt', 'what am I doing here\n');

/** Vectors about the references of a descriptor. */
export const DESCRIPTOR_VECTORS: readonly BundleVector[] = [
  {
    name: 'a file that the descriptor does not refer to',
    clause: '[cover.8]',
    build: () => makeBundle({ files: [...appliance(), EXTRA] }),
    exitCode: 16,
    codes: ['FILE_UNREFERENCED'],
    where: { member: 'extra.txt' },
  },
  {
    name: 'a file that the descriptor refers to, and nobody has',
    clause: '[cover.8]',
    build: () => makeBundle({ files: [descriptorFor('app.ovf', [DISK, 'lost.img']), DISK] }),
    exitCode: 16,
    codes: ['FILE_MISSING'],
    where: { member: 'app.ovf' },
  },
  {
    name: 'a size in the descriptor that is wrong',
    clause: '[cover.8]',
    build: () => makeBundle({ files: [descriptorFor('app.ovf', [{ ...DISK, bytes: NOTES.bytes }]), DISK] }),
    ...GOOD,
    warning: 'the descriptor gives "disk.img" 14 bytes; it has 3000',
  },
  { name: 'a disk in chunks', clause: '[cover.8]', build: chunks([1000, 1000, 500]), ...GOOD },
  {
    name: 'a disk in chunks, its size not given',
    clause: '[cover.8]',
    build: chunks([1000, 1000, 500], ''),
    ...GOOD,
  },
  {
    name: 'a chunk is missing',
    clause: '[cover.8]',
    build: chunks([1000, undefined, 500]),
    exitCode: 16,
    codes: ['FILE_MISSING', 'FILE_MISSING'],
  },
  {
    name: 'a chunk is missing, the size not given',
    clause: '[cover.8]',
    build: chunks([1000, undefined, 500], ''),
    exitCode: 16,
    codes: ['FILE_MISSING'],
    where: { member: 'app.ovf' },
  },
  {
    name: 'a chunk of the wrong size',
    clause: '[whole.2]',
    build: chunks([1000, 900, 500]),
    exitCode: 16,
    codes: ['DESCRIPTOR_SYNTAX'],
  },
  {
    name: 'a chunk of the wrong size, the size not given',
    clause: '[whole.2]',
    build: chunks([1000, 900, 500], ''),
    exitCode: 16,
    codes: ['DESCRIPTOR_SYNTAX'],
  },
  {
    name: 'a last chunk that is too short',
    clause: '[whole.2]',
    build: chunks([1000, 1000, 400]),
    exitCode: 16,
    codes: ['DESCRIPTOR_SYNTAX'],
  },
  {
    name: 'a chunk too many',
    clause: '[cover.8]',
    build: chunks([1000, 1000, 500, 1]),
    exitCode: 16,
    codes: ['FILE_UNREFERENCED'],
  },
  {
    name: 'a line for the whole of a file in chunks',
    clause: '[cover.9]',
    build: () =>
      makeBundle({
        files: [
          descriptorFor('app.ovf', ['big.img'], { attributes: 'ovf:chunkSize="1000"' }),
          noiseFile('big.img.000000000', 10),
        ],
        lines: (entries) => [
          ...entries,
          { name: 'big.img', algorithm: 'sha256', digest: 'a'.repeat(64), line: 3 },
        ],
      }),
    exitCode: 16,
    codes: ['FILE_MISSING'],
    where: { member: 'app.mf', line: 3 },
  },
  {
    name: 'a compressed disk, digested as it is stored',
    clause: '[cover.6]',
    build: () =>
      makeBundle({
        files: [descriptorFor('app.ovf', [COMPRESSED], { attributes: 'ovf:compression="gzip"' }), COMPRESSED],
      }),
    ...GOOD,
  },
  {
    name: 'a descriptor that is no XML',
    clause: '[cover.7]',
    build: () => makeBundle({ files: [textFile('app.ovf', '<hostile'), DISK] }),
    exitCode: 16,
    codes: ['DESCRIPTOR_SYNTAX'],
    where: { member: 'app.ovf', line: 1 },
  },
];
