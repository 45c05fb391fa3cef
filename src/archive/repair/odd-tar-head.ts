import { memberNameFault } from '../../formats/member-name.ts';
import { headerName, OCTAL_LIMIT, parseTarHeader, TAR_BLOCK } from '../../formats/tar/header.ts';
import { type OddTarHeader, parseOddTarHeader } from '../../formats/tar/odd-header.ts';
import { checkOddPaxGlobal, type OddPax, parseOddPax } from '../../formats/tar/odd-pax.ts';
import { parsePax } from '../../formats/tar/pax.ts';
import type { SparsePiece } from '../../formats/tar/sparse-map.ts';
import type { ByteCursor } from '../../kit/byte-cursor.ts';
import { copyBytes, isZero } from '../../kit/bytes.ts';
import { counted, decodeUtf8, hasText, printable } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { LONG_NAME_BYTES, oddLongName } from '../tar/long-name.ts';
import type { Repairs } from './repairs.ts';
import { readMorePieces } from './sparse-body.ts';
import type { TarRules } from './tar-rules.ts';

/** By what headers are read, and where what is odd goes. */
export interface OddHeadOptions {
  readonly limits: Limits;
  readonly repairs: Repairs;
  readonly rules: TarRules;
}

/** A member, by all of its headers. */
export interface OddMember {
  readonly name: string;
  /** where its first header begins */
  readonly offset: number;
  /** bytes that follow in the archive */
  readonly size: number;
  readonly sparse?: { readonly size: number; readonly pieces?: readonly SparsePiece[] };
}

/** What the headers before a member have said of it. */
interface Beside {
  pax?: OddPax;
  long?: string;
}

/** Headers of an archive for each member that it may have: with folders, long names and pax an honest one has three. */
const MOST_HEADERS = 8;

/**
 * The next member of a tar, folders and labels passed over; undefined where the archive ends, with its mark or without.
 *
 * @throws {BundleError} `ARCHIVE_*`, with the offset of the first header, and the member where it is known
 */
export async function nextOddMember(
  cursor: ByteCursor,
  options: OddHeadOptions,
): Promise<OddMember | undefined> {
  const { limits, repairs } = options;
  let offset = cursor.offset;
  let beside: Beside = {};
  let member = '';
  try {
    for (;;) {
      const at = cursor.offset;
      const block = copyBytes(await cursor.take(TAR_BLOCK));
      const alone = beside.pax === undefined && beside.long === undefined;
      if (block.byteLength === 0 && at > 0 && alone) {
        repairs.add({ what: 'the archive ends without its end mark', offset: at });
        return undefined;
      }
      if (block.byteLength < TAR_BLOCK) throw cut();
      if (isZero(block) && alone) return undefined;
      if (++options.rules.headers > MOST_HEADERS * limits.members)
        throw new BundleError('ARCHIVE_LIMIT', 'the archive has too many headers for so few members');
      member = beside.pax?.path ?? beside.long ?? headerName(block);
      const head = parseOddTarHeader(block);
      const strict = repairs.strictly(() => parseTarHeader(block), {
        offset: at,
        ...(hasText(member) && !SPEAKS.test(head.type) && { member: printable(member) }),
      });
      if (SPEAKS.test(head.type)) {
        if (strict) options.rules.addHeader(strict, at);
        beside = await heed(cursor, head, { beside, at, options });
        continue;
      }
      const found = await memberOf(cursor, head, { beside, options, offset });
      if (found.folder !== true) {
        const { name, text } = found;
        if (strict) options.rules.addFile(strict, beside.pax?.path ?? beside.long, { member: name, offset });
        if (text !== name)
          repairs.add({ member: name, what: 'a name that begins with "./", read without it', offset });
        return found.member;
      }
      beside = {};
      offset = cursor.offset;
    }
  } catch (error) {
    if (!isBundleError(error)) throw error;
    throw error.at({ offset, ...(hasText(member) && { member: printable(member) }) });
  }
}

/** Types of entries that say something of others. */
const SPEAKS = /^[xXgLK]$/;

/** Reads an entry that says something of the member behind it. */
async function heed(
  cursor: ByteCursor,
  { type, size }: OddTarHeader,
  { beside, at, options }: { readonly beside: Beside; readonly at: number; readonly options: OddHeadOptions },
): Promise<Beside> {
  const { limits, repairs, rules } = options;
  const isLong = type === 'L' || type === 'K';
  const body = await readBody(cursor, size, isLong ? LONG_NAME_BYTES : limits.paxBytes);
  if (!isZero(await takeFilling(cursor, size)))
    repairs.add({ what: 'the bytes that fill up a header to a whole block are not zero', offset: at });
  if (isLong) {
    const text = oddLongName(body);
    if (text === undefined) throw new BundleError('ARCHIVE_HEADER', 'a GNU long name is no text');
    if (type === 'K') return beside;
    if (beside.long !== undefined) throw new BundleError('ARCHIVE_HEADER', 'a member has two GNU long names');
    return { ...beside, long: text };
  }
  if (type === 'x') repairs.strictly(() => rules.leftOut.count(parsePax(body)), { offset: at });
  if (type === 'g') {
    checkOddPaxGlobal(body);
    return beside;
  }
  const pax = parseOddPax(body);
  if (beside.pax) throw new BundleError('ARCHIVE_PAX', 'a member has two pax headers');
  return { ...beside, pax };
}

type Found =
  | { readonly folder: true }
  | { readonly folder?: never; readonly member: OddMember; readonly name: string; readonly text: string };

/** The member of a header, or the folder that is passed over. */
async function memberOf(
  cursor: ByteCursor,
  head: OddTarHeader,
  {
    beside,
    options,
    offset,
  }: { readonly beside: Beside; readonly options: OddHeadOptions; readonly offset: number },
): Promise<Found> {
  const { pax, long } = beside;
  const { repairs, limits } = options;
  if (pax && long !== undefined)
    repairs.add({ what: 'a member has a GNU long name and a pax header, which is heeded', offset });
  const size = sizeOf(head.size, pax?.size);
  if (size !== head.size && size < OCTAL_LIMIT)
    repairs.add({ what: 'a member has its size in the pax header alone', offset });
  const text = pax?.path ?? long ?? decodeUtf8(head.name);
  if (text === undefined) throw new BundleError('ARCHIVE_NAME', 'the name of a member is not UTF-8');
  const isFile = FILE.test(head.type);
  if (head.type === '5' || head.type === 'V' || (isFile && text.endsWith('/'))) {
    if (size !== 0) throw new BundleError('ARCHIVE_TYPE', 'the archive holds a folder with content');
    if (isFile)
      repairs.add({ member: printable(text), what: 'a folder in the form of a file, passed over', offset });
    return { folder: true };
  }
  // links, devices and whatever else there is: the strict reader has the words
  if (!isFile && head.type !== 'S') throw refusalOf(head.type);
  const name = text.replace(/^(\.\/)+/, '');
  const fault = memberNameFault(name, limits);
  if (fault) throw new BundleError('ARCHIVE_NAME', `the member "${printable(text)}": ${fault}`);
  const sparse = head.sparse && { size: head.sparse.size, pieces: await readMorePieces(cursor, head.sparse) };
  const map = sparse ?? pax?.sparse;
  if (sparse && pax?.sparse) throw new BundleError('ARCHIVE_PAX', 'a sparse member has two maps');
  if (map)
    repairs.add({
      member: name,
      what: 'a sparse member, as a file with holes is stored: the holes are written out as zeros',
      offset,
    });
  return { name, text, member: { name, offset, size, ...(map !== undefined && { sparse: map }) } };
}

/** Regular files, contiguous ones among them. */
const FILE = /^[0\0\x37]$/;

function refusalOf(type: string): BundleError {
  return new BundleError(
    'ARCHIVE_TYPE',
    LINKS.test(type)
      ? 'the archive holds a link or a device'
      : `the archive holds an entry of the type "${printable(type)}"`,
  );
}

const LINKS = /^[1-6]$/;

/** [repair.5] One size, wherever it stands; the header may leave it to pax. */
function sizeOf(inHeader: number, inPax: number | undefined): number {
  if (inPax === undefined || inPax === inHeader) return inHeader;
  if (inHeader === 0 || inHeader === OCTAL_LIMIT - 1) return inPax;
  throw new BundleError(
    'ARCHIVE_SIZE_CONFLICT',
    `the pax header says ${counted(inPax, 'byte')} and the tar header ${counted(inHeader, 'byte')}`,
  );
}

async function readBody(cursor: ByteCursor, size: number, limit: number): Promise<Uint8Array> {
  if (size === 0 || size > limit)
    throw new BundleError(
      'ARCHIVE_PAX',
      `a header of ${size} bytes beside a member, outside of 1 to ${limit}`,
    );
  const body = copyBytes(await cursor.take(size));
  if (body.byteLength < size) throw cut();
  return body;
}

async function takeFilling(cursor: ByteCursor, size: number): Promise<Uint8Array> {
  const length = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
  const filling = await cursor.take(length);
  if (filling.byteLength < length) throw cut();
  return filling;
}

function cut(): BundleError {
  return new BundleError('ARCHIVE_TRUNCATED', 'the archive ends in the middle of a header');
}
