import type { Advised } from './advice.ts';
import type { ErrorRow } from './error-kinds.ts';

/** What to do about a bundle that readers understand differently. */
export const REBUILT: Advised = {
  text: 'ask the publisher for a bundle packed by a strict tool; or unpack it, look at the files, and pack them',
  advice: 'pack-again',
};
/** The same where it may be the form alone that is odd: the publisher's signature stays, and nothing is written where it does not hold. */
export const REPAIRED: Advised = {
  text: 'ask the publisher for a bundle packed by a strict tool; or, if it comes from where you expect it and only its form is odd, have it written again, which is done only when what was signed holds',
  advice: 'repair',
};
/** The same for whoever makes it. */
export const PACKED_ANEW: Advised = {
  text: 'unpack it, look at the files, and pack them anew',
  advice: 'pack-again',
};
/** What to do about a bundle with more members than are taken. */
export const MORE_MEMBERS: Advised = {
  text: 'if the bundle is honest, say how many it may have',
  advice: 'allow-members',
};
/** What to do about a bundle that was damaged on the way. */
export const FETCH_AGAIN =
  'fetch the bundle again and compare sizes; if it repeats, report it to the publisher';
/** The same for whoever makes it. */
export const TAKEN_AGAIN =
  'take the bundle again from where it was made; if it is damaged there, pack its files anew';

/** Faults of the archive that a bundle is. */
export const ARCHIVE_ERRORS = {
  FORMAT_UNSUPPORTED: {
    kind: 'unsupported',
    why: 'bulla reads only formats that every reader understands alike',
    fix: {
      text: 'give an OVA, a tar, a gzip-compressed tar or a zip; a bare disk image is packed into one first',
      advice: 'pack-image',
    },
  },
  ARCHIVE_EMPTY: { kind: 'archive', why: 'there is nothing to verify', fix: FETCH_AGAIN, own: TAKEN_AGAIN },
  ARCHIVE_TRUNCATED: {
    kind: 'archive',
    why: 'the archive ends early: part of it is missing, and a cut between members would go unnoticed by many readers',
    fix: FETCH_AGAIN,
    own: TAKEN_AGAIN,
  },
  ARCHIVE_HEADER: {
    kind: 'archive',
    why: 'tar readers disagree about such a header, so what one verifies another may not unpack',
    fix: REPAIRED,
    own: PACKED_ANEW,
  },
  ARCHIVE_PAX: {
    kind: 'archive',
    why: 'tar readers disagree about such an extended header, so two of them may see different files',
    fix: REPAIRED,
    own: PACKED_ANEW,
  },
  ARCHIVE_SIZE_CONFLICT: {
    kind: 'archive',
    why: 'two readers would see different files in the same bytes',
    fix: REBUILT,
    own: PACKED_ANEW,
  },
  ARCHIVE_TYPE: {
    kind: 'archive',
    why: 'a bundle holds regular files only; links, folders and devices are how archives escape their folder',
    fix: REBUILT,
    own: PACKED_ANEW,
  },
  ARCHIVE_NAME: {
    kind: 'archive',
    why: 'such a name could leave the destination folder, or mean different files on different systems',
    fix: REBUILT,
    own: PACKED_ANEW,
  },
  ARCHIVE_DUPLICATE: {
    kind: 'archive',
    why: 'some readers keep the first of them and some the last',
    fix: REBUILT,
    own: PACKED_ANEW,
  },
  ARCHIVE_PADDING: {
    kind: 'archive',
    why: 'the bytes between members belong to no file and nothing vouches for them',
    fix: REPAIRED,
    own: PACKED_ANEW,
  },
  ARCHIVE_TRAILING: {
    kind: 'archive',
    why: 'some readers stop at the end mark and some read on, so they see different archives',
    fix: REPAIRED,
    own: PACKED_ANEW,
  },
  ARCHIVE_LIMIT: {
    kind: 'archive',
    why: 'the limit keeps a hostile archive from exhausting this machine',
    fix: 'if the bundle is honest, ask the publisher to pack it smaller',
    own: 'pack fewer files, or smaller ones, into one bundle',
  },
  GZIP_MALFORMED: {
    kind: 'archive',
    why: 'gzip readers disagree about such a file, so two of them may see different archives',
    fix: FETCH_AGAIN,
    own: TAKEN_AGAIN,
  },
  ZIP_MALFORMED: {
    kind: 'archive',
    why: 'some zip readers go by the directory at the end and some by the headers before each member, so they see different archives',
    fix: REPAIRED,
    own: PACKED_ANEW,
  },
  ZIP_FEATURE: {
    kind: 'archive',
    why: 'not every zip reader has this, so what one of them unpacks another leaves out or renames',
    fix: REPAIRED,
    own: { text: 'make a zip of plain files', advice: 'pack-zip' },
  },

  VOLUME_SYNTAX: {
    kind: 'archive',
    why: 'only volumes that say exactly which part of which file they are can be put together again',
    fix: { text: 'copy the volume again; or give those that bulla has made', advice: 'give-volumes' },
  },
} as const satisfies Record<string, ErrorRow>;
