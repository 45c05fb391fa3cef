import { memberNameFault } from '../formats/member-name.ts';
import type { TarHeader } from '../formats/tar/header.ts';
import { decodeUtf8, printable } from '../kit/encoding.ts';
import { REPAIRED } from '../kit/errors/archive-errors.ts';
import { BundleError, type ErrorDetails } from '../kit/errors/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { repairOf } from '../kit/relaxation.ts';
import type { Relaxed } from './relaxed.ts';
import { ownName, type SecondNames, secondNames } from './second-name.ts';

/** By what names are judged. */
interface NameRules {
  readonly limits: Limits;
  readonly relaxed: Relaxed;
}

/**
 * The name of a file, and what else readers may call it; `beside` is what a pax header or a GNU long name says of it.
 *
 * @throws {BundleError} `ARCHIVE_NAME`
 */
export function fileNames(
  header: TarHeader,
  beside: string | undefined,
  rules: NameRules,
): { readonly name: string; readonly second: SecondNames } {
  const good = (text: string | undefined): string => fileName(text, rules, header.size);
  const text = beside ?? decodeUtf8(header.name);
  const name = good(text);
  return {
    name,
    second: secondNames(header, { text: text ?? '', name, beside: beside !== undefined, good }),
  };
}

/**
 * The same of a folder, whose names may end in a slash; nothing for the folder that all is in.
 *
 * @throws {BundleError} `ARCHIVE_NAME` [relax.3]
 */
export function folderNames(
  header: TarHeader,
  beside: string | undefined,
  rules: NameRules,
): { readonly folder?: string; readonly second?: SecondNames } {
  const good = (text: string | undefined): string => folderName(text, rules);
  const bare = withoutSlash(header.bare);
  const plain = { ...header, name: header.bare === header.name ? bare : withoutSlash(header.name), bare };
  const text = beside?.replace(/\/$/, '') ?? decodeUtf8(plain.name);
  const folder = good(text);
  const second = secondNames(plain, { text: text ?? '', name: folder, beside: beside !== undefined, good });
  return folder === '.' ? {} : { folder, second };
}

/**
 * The file that the header of a pax header is to readers that do not know such; undefined when it can be no member.
 *
 * @throws {BundleError} `ARCHIVE_NAME`
 */
export function headerFile(header: TarHeader, rules: NameRules): string | undefined {
  return ownName(header, (text) => fileName(text, rules, header.size));
}

/** Why a name is refused that is good without its `./`. */
const DOTTED = 'the manifest has the name without "./", and readers disagree whether both are the same file';

/**
 * What is said of a name that a repair reads: good but for `./` in front, or a slash at the end, as folders have it, which have no
 * content; `read` is the name as the repair of the format begins with it. [relax.8] [repair.5]
 */
export function repairableName(
  text: string,
  { limits, size, read = text }: { readonly limits: Limits; readonly size: number; readonly read?: string },
): Pick<ErrorDetails, 'why' | 'fix'> {
  const plain = read.replace(/^(\.\/)+/, '');
  const bare = size === 0 ? plain.replace(/\/$/, '') : plain;
  if (bare === text || memberNameFault(bare, limits) !== undefined) return {};
  if (text === `./${bare}`) return { why: DOTTED, fix: repairOf('dot-prefix') };
  return {
    why: 'readers disagree whether such a name is that of a file, of a folder, or the same as a plainer one',
    fix: REPAIRED,
  };
}

function fileName(text: string | undefined, { limits, relaxed }: NameRules, size: number): string {
  if (text === undefined) throw new BundleError('ARCHIVE_NAME', 'the name of a member is not UTF-8'); // [name.6]
  const dotted = text.startsWith('./') && memberNameFault(text.slice(2), limits) === undefined;
  const name = dotted && relaxed.allows('dot-prefix') ? text.slice(2) : text; // [relax.2]
  const fault = memberNameFault(name, limits);
  if (!fault) return name;
  throw new BundleError(
    'ARCHIVE_NAME',
    `the member "${printable(name)}": ${fault}`,
    repairableName(name, { limits, size }),
  );
}

/** By a name that is as good as a member's, or `.` [relax.3] */
function folderName(path: string | undefined, { limits, relaxed }: NameRules): string {
  if (path === undefined) throw new BundleError('ARCHIVE_NAME', 'the name of a folder is not UTF-8');
  if (path === '.') return path;
  const dotted = path.startsWith('./') && memberNameFault(path.slice(2), limits) === undefined;
  const folder = dotted && relaxed.allows('dot-prefix') ? path.slice(2) : path;
  const fault = memberNameFault(folder, limits);
  if (fault === undefined) return folder;
  const details = dotted ? { why: DOTTED, fix: repairOf('folders', 'dot-prefix') } : {};
  throw new BundleError('ARCHIVE_NAME', `the folder "${printable(folder)}": ${fault}`, details);
}

function withoutSlash(name: Uint8Array): Uint8Array {
  return name.at(-1) === 0x2f ? name.subarray(0, -1) : name;
}
