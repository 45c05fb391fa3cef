import { chunkCount, chunkName } from '../../formats/ovf/file-reference.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { PlannedFile } from './plan.ts';

/** The chunks that an image is stored as. @throws {BundleError} `ARCHIVE_LIMIT` for more than importers read [pack.11] */
export function planChunks(
  file: PlannedFile,
  { chunkSize, members }: { readonly chunkSize: number; readonly members: number },
): readonly PlannedFile[] {
  const { name, path, size, stamp } = file;
  const count = chunkCount({ id: '', href: name, size, compression: 'identity', chunkSize }) ?? 1;
  if (count > members) {
    throw new BundleError(
      'ARCHIVE_LIMIT',
      `"${name}" would be in ${count} chunks, more than the ${members} members importers read`,
      {
        where: { file: path },
        fix: { text: 'give a larger size of chunks, such as 2 GiB', advice: 'larger-chunks' },
      },
    );
  }
  return Array.from({ length: count }, (_, index) => {
    const start = index * chunkSize;
    const last = index === count - 1;
    return {
      name: chunkName(name, index),
      path,
      size: last ? size - start : chunkSize,
      stamp,
      part: { start, last },
    };
  });
}

/** Chunks are asked for where no descriptor is made that could say so. `USAGE` */
export function noChunks(plain: boolean): BundleError {
  return new BundleError('USAGE', 'chunks are for bare disk images', {
    why: plain
      ? 'a plain bundle has no descriptor that says which chunks make a file'
      : 'the bytes of a descriptor are never changed, and this one says how its files are stored',
    fix: plain
      ? { text: 'ask for no chunks; a whole bundle can be split into volumes', advice: 'split-instead' }
      : {
          text: 'ask for no chunks; or set ovf:chunkSize in the descriptor, and cut the file: split -b SIZE -d -a 9 FILE FILE.',
          advice: 'cut-by-descriptor',
        },
  });
}
