import { playsPart } from '../formats/bundle-part.ts';
import type { TarHeader } from '../formats/tar/header.ts';
import { equalBytes } from '../kit/bytes.ts';
import { decodeUtf8, encodeUtf8, printable } from '../kit/encoding.ts';
import type { Advised } from '../kit/errors/advice.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** What a header can hold without a second name; a longer one may stand in it cut. */
const FIELD_BYTES = 100;
/** Writers leave up to two bytes of the field for NULs. [name.7] */
const CUT_BYTES = FIELD_BYTES - 2;
/** Characters of a name that a message shows. */
const SHOWN = 100;

/** What else a reader may call a member, who passes over pax headers, GNU long names or the prefix. */
export interface SecondNames {
  /** the whole name in the header, where a longer one is cut there [name.7] */
  readonly cut?: string;
  /** the part of it behind the prefix [name.8] */
  readonly bare?: string;
}

const NONE: SecondNames = {};

/** What a member is called, and by whom. */
interface Called {
  /** its name as the archive has it, and as it is used */
  readonly text: string;
  readonly name: string;
  /** the name stands beside the header, in a pax header or a GNU long name */
  readonly beside: boolean;
  /** checks a name as those of members are checked, and gives it as it is used */
  readonly good: (text: string | undefined) => string;
}

/**
 * The other names that readers may have for a member: the same, or as much of it as fits, each good by itself.
 *
 * Whether they collide with those of other members is for `MemberNames`.
 *
 * @throws {BundleError} `ARCHIVE_NAME`
 * @see spec/archive.md, clauses name.4, name.7 and name.8
 */
export function secondNames(header: TarHeader, called: Called): SecondNames {
  if (!called.beside && header.bare === header.name) return NONE;
  const differs = called.beside && !equalBytes(header.name, encodeUtf8(called.text));
  const cut = differs ? expectPart(cutOf(header, called), called) : undefined;
  const { bare: bytes } = header;
  const bare = bytes === header.name ? undefined : expectPart(called.good(decodeUtf8(bytes)), called);
  return {
    ...(cut !== undefined && cut !== called.name && { cut }),
    ...(bare !== undefined && bare !== called.name && { bare }),
  };
}

/** [name.10] A name that only some readers see must not make another thing of the member. */
function expectPart(second: string, { name }: Called): string {
  if (!playsPart(second) || playsPart(name)) return second;
  throw new BundleError('ARCHIVE_NAME', `the member "${shown(name)}" is "${shown(second)}" to some readers`, {
    why: 'they take it for a part of the bundle that it is not',
    fix: REWRITE,
  });
}

/** What to do about an archive whose names readers read differently. */
const REWRITE: Advised = {
  text: 'unpack it where it comes from, and write it again with: tar --format=ustar (Python: format=tarfile.USTAR_FORMAT); names of at most 100 bytes need no second one',
  advice: 'write-again',
};

/** [name.7] As much of a name as fits: it begins the same, and fills the field. */
function cutOf(header: TarHeader, { text, good }: Called): string {
  const whole = encodeUtf8(text);
  const behind = decodeUtf8(header.name);
  const begins = equalBytes(whole.subarray(0, header.name.byteLength), header.name);
  const fills = header.bare.byteLength >= CUT_BYTES;
  if (whole.byteLength > FIELD_BYTES && begins && fills) return good(behind);
  const other = behind === undefined ? 'something that is no text' : `"${shown(behind)}"`;
  throw new BundleError(
    'ARCHIVE_NAME',
    `the member "${shown(text)}" has another name in its tar header: ${other}`,
    {
      why: 'readers that pass over pax headers and GNU long names unpack it under that name',
      fix: REWRITE,
    },
  );
}

/** The folder, or the file, that tar writers name pax headers by; without pax that is a file. */
const PAX_FOLDER = /^PaxHeaders?(\.[\w.-]+)?$/;
const PAX_FILE = /^(@?PaxHeaders?|GlobalHead(\.\d+){0,2})$/;
/** What git archive calls its own, which can be no member's name. [name.11] */
const GIT_FILE = 'pax_global_header';
/** What tar writers name an entry with a GNU long name. */
const LONG_LINK = '././@LongLink';

/**
 * The own name of a header that speaks about what follows it: readers that do not know such headers unpack it as a file.
 *
 * @param good - checks a name as those of members are checked
 * @returns the name as such a reader has it; undefined for one that can be no member's
 * @throws {BundleError} `ARCHIVE_NAME`
 * @see spec/archive.md, clause name.9
 */
export function ownName(header: TarHeader, good: (text: string | undefined) => string): string | undefined {
  const text = decodeUtf8(header.name) ?? '';
  if (text === (header.kind === 'long-name' ? LONG_LINK : GIT_FILE)) return undefined;
  const name = text.replace(/^(\.\/){1,2}/, '');
  const parts = name.split('/');
  const marked =
    PAX_FILE.test(parts.at(-1) ?? '') || parts.slice(0, -1).some((part) => PAX_FOLDER.test(part));
  if (header.kind !== 'long-name' && marked) return good(name);
  const what = header.kind === 'long-name' ? 'GNU long name' : 'pax header';
  throw new BundleError(
    'ARCHIVE_NAME',
    `the own name of a ${what} does not show what it is: "${shown(text)}"`,
    {
      why: 'readers that do not know such headers unpack them as files, under that name',
      fix: REWRITE,
    },
  );
}

function shown(name: string): string {
  return printable(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name);
}
