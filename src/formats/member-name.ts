import { encodeUtf8, isPlainAscii, printable, UNSEEN } from '../kit/encoding.ts';
import type { Limits } from '../kit/limits.ts';

/** The most that common file systems hold in one name. */
const PART_BYTES = 255;

/** Names that Windows takes for devices, with any extension, in any folder. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?$/i;

/** What git archive calls its pax global header, and Perl's Archive::Tar takes for one, whatever it is. */
const READERS_OWN = 'pax_global_header';

/**
 * Why a name may not be the name of a member, or undefined when it may.
 *
 * A name that passes means one file below one folder, the same on every system; nothing is ever stripped or
 * repaired to make it pass. It decides about one name: whether two names collide is `memberNameKey`.
 *
 * @see spec/archive.md, clauses name.1 to name.6, name.11 and name.12
 */
export function memberNameFault(name: string, limits: Limits): string | undefined {
  const tame = TAME.test(name) && name.length <= Math.min(PART_BYTES, limits.nameBytes);
  return tame ? undefined : faultIn(name, limits);
}

/** Names of one part that no rule could have anything against; most are, and a bundle may have many thousand. */
const TAME = /^(?!con|prn|aux|nul|com|lpt|pax_)\w(?:[\w.+=@,-]*[\w+=@,-])?$/i;

function faultIn(name: string, limits: Limits): string | undefined {
  if (name === '') return 'the name is empty';
  if (encodeUtf8(name).byteLength > limits.nameBytes)
    return `the name is longer than ${limits.nameBytes} bytes`; // [name.6]
  // [name.1] Colon and backslash are separators somewhere; the others cannot be stored on every file system.
  const forbidden = /[\\:*?"<>|]/u.exec(name);
  if (forbidden) return `the name holds the character "${forbidden[0]}"`;
  // [name.2] A name that prints as something else than it is deceives whoever reads the log.
  const unseen = UNSEEN.exec(name)?.[0];
  if (unseen !== undefined) return unseenFault(unseen);
  if (name !== name.normalize('NFC')) return 'the name is not in Unicode normalisation form C';
  if (name.startsWith('/')) return 'the name is absolute';
  const parts = name.split('/');
  if (parts.length > limits.nameDepth + 1) return `the name lies more than ${limits.nameDepth} folders deep`;
  for (const part of parts) {
    const fault = partFault(part);
    if (fault) return fault;
  }
  return undefined;
}

function unseenFault(char: string): string {
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(char)) return 'the name holds a control, format or unassigned character';
  return `the name holds ${printable(char)}, which is not seen or looks like a blank`;
}

/** [name.3] Each part is a file or folder that can be made on every system, and is the one that the name says. */
function partFault(part: string): string | undefined {
  if (part === '') return 'the name has an empty part, or ends in "/"';
  if (part === '.' || part === '..') return `the name has the part "${part}"`;
  if (encodeUtf8(part).byteLength > PART_BYTES)
    return `a part of the name is longer than ${PART_BYTES} bytes`; // [name.6]
  if (/[ .]$/.test(part)) return 'a part of the name ends in a dot or a blank';
  if (/^[~ ]/.test(part)) return 'a part of the name begins with "~" or a blank';
  if (/^\p{M}/u.test(part)) return 'a part of the name begins with a combining mark'; // [name.2]
  if (part === READERS_OWN) return `some readers leave out a file with the name "${READERS_OWN}"`; // [name.11]
  // [name.12] unzip takes such an end for a version of VMS, and leaves it out.
  if (/;[0-9]*$/.test(part)) return 'a part of the name ends in ";" and digits, which some readers leave out';
  if (DEVICE.test(part)) return `"${part}" is a device on some systems`;
  return undefined;
}

/** What two names have in common when some file system takes them for one: compatibility forms and case folded. */
export function memberNameKey(name: string): string {
  if (isPlainAscii(name)) return name.toLowerCase();
  // Lower, upper, lower: "ẞ", "ß" and "ss" fold together only that way; what folding decomposes is composed again.
  return name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
}
