import { printable } from '../../kit/encoding.ts';
import { PACKED_ANEW, REPAIRED } from '../../kit/errors/archive-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { type Relaxation, repairOf } from '../../kit/relaxation.ts';
import { SPARSE } from './sparse.ts';

/** What an entry is, besides a pax header. */
export type EntryKind = 'file' | 'folder' | 'long-name' | 'pax-global';

/** What types of entry are called in the error that refuses them. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a folder',
  '6': 'a named pipe',
  '7': 'a contiguous file',
  D: 'a GNU folder listing',
  K: 'a GNU long link name',
  L: 'a GNU long file name',
  M: 'a GNU continuation of another volume',
  N: 'an old GNU long name',
  S: 'a GNU sparse file',
  V: 'a GNU volume label',
  X: 'a Solaris extended header',
  g: 'a pax global header, as git archive writes one',
};

/** Asked whether a relaxation may be used. */
export type Allows = (relaxation: Relaxation) => boolean;

/** Nothing may. */
export const allowsNothing: Allows = () => false;

/** [tar.4] What an entry of this type is; most types are refused, whatever is allowed. */
export function kindOf(type: string, allows: Allows): EntryKind {
  if (type === '0' || type === '\0') return 'file';
  const needed = relaxationFor(type);
  if (needed && allows(needed)) return RELAXED_KINDS[needed] ?? 'file';
  const what = TYPE_NAMES[type] ?? `an entry of the unknown type "${printable(type)}"`;
  const why = WHY_NOT[type];
  throw new BundleError('ARCHIVE_TYPE', `the archive holds ${what}`, {
    ...(type === 'S' && SPARSE), // [pax.9]
    ...(why !== undefined && { why }),
    ...(PASSED.test(type) && { fix: REPAIRED, own: PACKED_ANEW }),
    ...(needed !== undefined && {
      fix: repairOf(needed, ...(needed === 'folders' ? (['dot-prefix'] as const) : [])),
    }),
  });
}

/** What a repair reads as a file or passes over, though no relaxation does. [repair.3] */
const PASSED = /^[7V]$/;

/** Entries that are dangerous for another reason than links and devices are. */
const WHY_NOT: Readonly<Record<string, string>> = {
  '5': 'a bundle holds regular files only: nothing vouches for the entry of a folder, and readers disagree about what it does to the files below',
  L: 'some tar readers take the name from such an entry and some from the header behind it, so they see different files',
  g: 'some tar readers heed what such an entry says of all members and some do not, so they see different files',
};

/** The relaxation that an entry of this type needs. */
function relaxationFor(type: string): Relaxation | undefined {
  if (type === '5') return 'folders';
  if (type === 'L') return 'gnu-long-names';
  return type === 'g' ? 'pax-global' : undefined;
}

const RELAXED_KINDS: Partial<Record<Relaxation, EntryKind>> = {
  folders: 'folder',
  'gnu-long-names': 'long-name',
  'pax-global': 'pax-global',
};
