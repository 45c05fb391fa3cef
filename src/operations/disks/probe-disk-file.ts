import { type DiskProbe, isSelfContained } from '../../formats/disk/disk-probe.ts';
import { endsOf, readEnds } from '../../formats/disk/image-ends.ts';
import { probeDisk } from '../../formats/disk/probe.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { shellPath } from '../../kit/shell.ts';
import type { FileStamp } from '../../storage/sources/file-stamp.ts';
import { openInputFile } from '../../storage/sources/input-file.ts';
import { isImageName } from '../../verdict/bundle/disk-images.ts';

/** What disks are made of. */
const SECTOR = 512;

/** The size of a file and its image header. @throws {BundleError} `FILE_*`, `FORMAT_UNSUPPORTED` */
export async function probeDiskFile(path: string): Promise<FileStamp & { readonly probe: DiskProbe }> {
  await using file = await openInputFile(path);
  const ends = await readEnds(file, { start: 0, size: file.size });
  try {
    return { ...file.stamp, probe: probeDisk(...ends) };
  } catch (error) {
    throw toBundleError(error).at({ file: path });
  }
}

/**
 * A disk image that is packed as one, and so must look like one and be whole.
 *
 * @throws {BundleError} `FILE_*`, `FORMAT_UNSUPPORTED`
 */
export async function probeWholeDisk(path: string): ReturnType<typeof probeDiskFile> {
  const found = await probeDiskFile(path);
  const { size, probe } = found;
  if (!isSelfContained(probe)) throw needsOthers(path, probe);
  // Neither a header, nor sectors, nor a name says that this is a disk.
  if (probe.format === 'raw' && size % SECTOR !== 0 && !isImageName(path)) throw noDisk(path, size);
  return found;
}

/**
 * [pack.8] Whoever imports it opens an image by its content, whatever the descriptor or the name says it is.
 *
 * @throws {BundleError} `FILE_CHANGED` when it is not the file that was looked at; `FORMAT_UNSUPPORTED`
 */
export async function expectWhole(path: string, since: FileStamp): Promise<DiskProbe | undefined> {
  await using file = await openInputFile(path);
  const ends = await readEnds(file, { start: 0, size: file.size });
  file.expectUnchanged(since, 'packed'); // [stamp.1] it is this one whose ends were seen
  return expectSelfContained(path, () => probeDisk(...ends));
}

/** [pack.8] The same for a small file whose content is at hand. */
export function expectWholeContent(path: string, content: Uint8Array): DiskProbe | undefined {
  return expectSelfContained(path, () => probeDisk(...endsOf(content)));
}

/** What it is; undefined for what is no image. */
function expectSelfContained(path: string, probe: () => DiskProbe): DiskProbe | undefined {
  let found: DiskProbe;
  try {
    found = probe();
  } catch (error) {
    if (toBundleError(error).code === 'FORMAT_UNSUPPORTED') return undefined; // no image, or of a kind that we do not know
    throw toBundleError(error).at({ file: path });
  }
  if (!isSelfContained(found)) throw needsOthers(path, found);
  return found;
}

function noDisk(path: string, size: number): BundleError {
  return new BundleError('FORMAT_UNSUPPORTED', 'this is no disk image that is known', {
    where: { file: path },
    why: `it has no image header, and its size (${counted(size, 'byte')}) is no whole number of disk sectors (${SECTOR} bytes)`,
    fix: {
      text: 'give a disk image; files of other kinds are packed as they are, without a descriptor',
      advice: 'pack-plain',
    },
  });
}

function needsOthers(path: string, probe: DiskProbe): BundleError {
  const other = probe.backingFile ?? probe.dataFile ?? '';
  return new BundleError('FORMAT_UNSUPPORTED', `the image is not whole: it needs "${other}"`, {
    where: { file: path },
    why: 'the importer would read a file of that name on its own host, or have half a disk',
    fix: `make it whole: qemu-img convert -O ${probe.format} ${shellPath(path)} whole.${probe.format}`,
  });
}
