import { printable } from '../../kit/encoding.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** The image formats that are told apart. */
export type DiskFormat = 'raw' | 'qcow2' | 'vmdk' | 'vhd' | 'vhdx' | 'iso';

/** What the header of a disk image says of it. */
export interface DiskProbe {
  readonly format: DiskFormat;
  /** The kind within the format: `v2`, `v3`, `streamOptimized`, `monolithicSparse`, `fixed`, `dynamic`, … */
  readonly variant?: string;
  /** The bytes a guest sees. */
  readonly virtualSize: number;
  /** The image that this one only adds to, as it is named inside; it would be read from the host of the importer. */
  readonly backingFile?: string;
  /** The file, or the files joined with `, `, that hold the content, as they are named inside; read from the host too. */
  readonly dataFile?: string;
  /** What a person should know besides: for the terminal, nothing is decided by it. */
  readonly note?: string;
}

/** Stands for a file that the image needs without a name that can be read. */
export const UNNAMED = '(unnamed)';

/** True when the image holds all of its content, so that reading it touches no other file. */
export function isSelfContained(probe: DiskProbe): boolean {
  return probe.backingFile === undefined && probe.dataFile === undefined;
}

/** The fault of an image whose header cannot be read: `FORMAT_UNSUPPORTED`, with what to do about an image. */
export function diskFault(message: string, fix?: Told | readonly Told[]): BundleError {
  return new BundleError('FORMAT_UNSUPPORTED', printable(message), {
    why: 'an image that is not understood could be packed as something it is not, or name files of the host that imports it',
    fix:
      fix ??
      'check the image with qemu-img info; qemu-img convert -O qcow2 IMAGE OUT makes one that is understood',
  });
}
