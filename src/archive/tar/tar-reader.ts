import type { Allows } from '../../formats/tar/entry-kind.ts';
import { headerName, isZeroBlock, OCTAL_LIMIT, TAR_BLOCK, type TarHeader } from '../../formats/tar/header.ts';
import type { PaxRecords } from '../../formats/tar/pax.ts';
import { ByteCursor } from '../../kit/byte-cursor.ts';
import { type ByteStream, copyBytes, isZero } from '../../kit/bytes.ts';
import { counted, hasText, printable } from '../../kit/encoding.ts';
import { PACKED_ANEW, REPAIRED } from '../../kit/errors/archive-errors.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { repairOf } from '../../kit/relaxation.ts';
import type { ArchiveEntry } from '../entry.ts';
import { fileNames, folderNames, headerFile } from '../entry-names.ts';
import { MemberBody } from '../member-body.ts';
import { MemberNames } from '../member-names.ts';
import { Relaxed } from '../relaxed.ts';
import type { SecondNames } from '../second-name.ts';
import { headerOf, paxGlobalOf, paxOf, UNHEALED } from './healable.ts';
import { LeftOut } from './left-out.ts';
import { LONG_NAME_BYTES, longName } from './long-name.ts';

/**
 * Reads a tar archive in the strict profile: it accepts only what every tar reader reads alike.
 *
 * It decides about framing, names, sizes and limits; it knows nothing of manifests. A loop that ends normally has
 * seen the whole archive up to the end of `source`.
 *
 * @throws {BundleError} `ARCHIVE_*`, each with the byte offset of the header and the member where it is known
 * @see spec/archive.md, clauses tar.1 to tar.9, pax.1 to pax.5, name.1 to name.6
 */
export async function* readTar(
  source: ByteStream,
  limits: Limits,
  relaxed: Relaxed = new Relaxed(),
): AsyncGenerator<ArchiveEntry, void> {
  const cursor = new ByteCursor(source);
  const names = new MemberNames(limits);
  const allows: Allows = (relaxation) => relaxed.allows(relaxation);
  const leftOut = new LeftOut();
  let total = 0;
  try {
    for (;;) {
      const offset = cursor.offset;
      const options = { limits, relaxed, allows, leftOut, first: offset === 0 };
      const head = plainHead(cursor, offset, options) ?? (await readHead(cursor, offset, options));
      if (head.kind === 'end') {
        if (names.count === 0)
          throw new BundleError('ARCHIVE_EMPTY', 'the archive has no members', { where: { offset } });
        if (head.marked) await expectEnd(cursor, limits, relaxed);
        return;
      }
      for (const own of head.own ?? []) names.addHeader(own, offset);
      if (head.kind === 'passed') {
        if (head.folder !== undefined) names.addFolder(head.folder, offset, head.second);
        continue;
      }
      const { name, size } = head;
      names.add(name, offset, head.second);
      total += size;
      // [tar.9] Before a byte of it is read.
      if (size > limits.memberBytes || total > limits.totalBytes) {
        throw new BundleError(
          'ARCHIVE_LIMIT',
          `"${printable(name)}" takes the archive over the limit of bytes`,
          {
            where: { member: name, offset },
          },
        );
      }

      const body = new MemberBody(cursor, name, size);
      yield {
        ...{ name, size, offset, dataOffset: cursor.offset, body },
        takeAll: () => body.takeAll(),
        skip: (count) => body.skip(count),
      };
      if (!body.isSpent) await body.skipRest();
      expectZeros(cursor.takeBuffered(padding(size)) ?? (await cursor.take(padding(size))), {
        cursor,
        size,
        member: name,
      });
    }
  } finally {
    await cursor.close(); // [arc.4]
  }
}

/** The type of a regular file, as a byte. */
const FILE_TYPE = 0x30;

/** What comes next: a member, its pax header applied; the end, by its mark or without one; or what has been passed over. */
type Head =
  | ({ readonly kind: 'file'; readonly name: string; readonly size: number } & OtherNames)
  | { readonly kind: 'end'; readonly marked: boolean }
  | ({ readonly kind: 'passed'; readonly folder?: string } & OtherNames);

/** What some readers call the member, and files that the headers before it are to some. */
interface OtherNames {
  readonly second?: SecondNames;
  readonly own?: readonly string[];
}

interface HeadOptions {
  readonly limits: Limits;
  readonly relaxed: Relaxed;
  readonly allows: Allows;
  readonly leftOut: LeftOut;
  /** nothing has been read before it */
  readonly first: boolean;
}

/** The head of a member in the usual case, without waiting: it is at hand, and nothing comes before its own header. */
function plainHead(cursor: ByteCursor, offset: number, options: HeadOptions): Head | undefined {
  const block = cursor.byteBehind(156) === FILE_TYPE ? cursor.takeBuffered(TAR_BLOCK) : undefined;
  if (!block) return undefined;
  try {
    const header = headerOf(block, options.allows);
    return { kind: 'file', ...fileNames(header, undefined, options), size: header.size };
  } catch (error) {
    throw placed(error, offset, headerName(block));
  }
}

/** [arc.3] Every refusal gets a place. */
function placed(error: unknown, offset: number, member: string): unknown {
  if (!isBundleError(error)) return error;
  return error.at({ offset, ...(hasText(member) && { member }) });
}

async function readHead(cursor: ByteCursor, offset: number, options: HeadOptions): Promise<Head> {
  const { limits, relaxed, leftOut, first } = options;
  let pax: PaxRecords | undefined;
  let long: string | undefined;
  let member = '';
  const own: string[] = [];
  const addOwn = (header: TarHeader): void => {
    const name = headerFile(header, options);
    if (name !== undefined) own.push(name);
  };
  try {
    for (;;) {
      const at = cursor.offset;
      const block = cursor.takeBuffered(TAR_BLOCK) ?? (await cursor.take(TAR_BLOCK));
      if (block.byteLength < TAR_BLOCK) {
        const whole = block.byteLength === 0 && at > 0 && !pax && long === undefined;
        if (whole && relaxed.allows('no-end-mark')) return { kind: 'end', marked: false }; // [relax.4]
        throw cut(at, block.byteLength, undefined, whole); // [tar.6]
      }
      if (isZeroBlock(block)) {
        if (pax) throw new BundleError('ARCHIVE_PAX', 'a pax header has no member after it', UNHEALED); // [pax.1]
        if (long !== undefined)
          throw new BundleError('ARCHIVE_HEADER', 'a GNU long name has no member after it', UNHEALED);
        return { kind: 'end', marked: true };
      }
      member = pax?.path === undefined ? headerName(block) : printable(pax.path);
      const header = headerOf(block, options.allows);
      if (header.kind === 'pax') {
        if (pax) throw new BundleError('ARCHIVE_PAX', 'a member has two pax headers', UNHEALED); // [pax.1]
        addOwn(header);
        pax = leftOut.count(paxOf(await readBody(cursor, header.size, limits.paxBytes)));
        continue;
      }
      if (header.kind === 'pax-global') {
        // [relax.5] It speaks of what comes after it; where nothing came before, all agree.
        if (!first || pax || long !== undefined)
          throw new BundleError('ARCHIVE_PAX', 'a pax global header is not at the start');
        addOwn(header);
        leftOut.count(paxGlobalOf(await readBody(cursor, header.size, limits.paxBytes)));
        return { kind: 'passed', own };
      }
      if (header.kind === 'long-name') {
        if (long !== undefined)
          throw new BundleError('ARCHIVE_HEADER', 'a member has two GNU long names', UNHEALED); // [relax.6]
        if (pax) throw new BundleError('ARCHIVE_HEADER', 'a member has a GNU long name besides another name');
        addOwn(header);
        long = longName(await readBody(cursor, header.size, LONG_NAME_BYTES, 'GNU long name'));
        continue;
      }
      if (pax && long !== undefined)
        throw new BundleError('ARCHIVE_HEADER', 'a member has a GNU long name and a pax header'); // [relax.6]
      const size = sizeOf(header.size, pax?.size);
      const beside = pax?.path ?? long;
      if (header.kind === 'file') return { kind: 'file', ...fileNames(header, beside, options), size, own };
      // [relax.3] The size may stand in the pax header alone.
      if (size !== 0) throw new BundleError('ARCHIVE_TYPE', 'the archive holds a folder with content');
      return { kind: 'passed', ...folderNames(header, beside, options), own };
    }
  } catch (error) {
    throw placed(error, offset, member);
  }
}

/** The content of a header that speaks about what follows it. */
async function readBody(
  cursor: ByteCursor,
  size: number,
  limit: number,
  what = 'pax header',
): Promise<Uint8Array> {
  if (size === 0 || size > limit) {
    throw new BundleError('ARCHIVE_PAX', `a ${what} of ${size} bytes, outside of 1 to ${limit}`, UNHEALED);
  }
  const at = cursor.offset;
  const body = copyBytes(await cursor.take(size));
  if (body.byteLength < size) throw cut(at, body.byteLength);
  expectZeros(await cursor.take(padding(size)), { cursor, size, member: undefined });
  return body;
}

/** [pax.5] The two sizes must agree; one beyond octal may stand in the pax header alone. */
function sizeOf(inHeader: number, inPax: number | undefined): number {
  if (inPax === undefined || inPax === inHeader) return inHeader;
  if (inPax >= OCTAL_LIMIT && (inHeader === 0 || inHeader === OCTAL_LIMIT - 1)) return inPax;
  throw new BundleError(
    'ARCHIVE_SIZE_CONFLICT',
    `the pax header says ${counted(inPax, 'byte')} and the tar header ${counted(inHeader, 'byte')}`,
    inHeader === 0 ? { fix: REPAIRED, own: PACKED_ANEW } : {}, // [repair.3]
  );
}

/** Bytes that fill up a member to whole blocks. */
function padding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}

/** [tar.7] Bytes between members belong to no digest, so they must say nothing. */
function expectZeros(
  bytes: Uint8Array,
  {
    cursor,
    size,
    member,
  }: { readonly cursor: ByteCursor; readonly size: number; readonly member: string | undefined },
): void {
  const at = cursor.offset - bytes.byteLength;
  if (bytes.byteLength < padding(size)) throw cut(at, bytes.byteLength, member);
  if (!isZero(bytes)) {
    throw new BundleError(
      'ARCHIVE_PADDING',
      'the bytes that fill up a member to a whole block are not zero',
      {
        where: { offset: at, ...(hasText(member) && { member }) },
      },
    );
  }
}

/** [tar.8] A second zero block, then nothing but a bounded run of zeros up to the end of the source. */
async function expectEnd(cursor: ByteCursor, limits: Limits, relaxed: Relaxed): Promise<void> {
  const start = cursor.offset;
  const second = await cursor.take(TAR_BLOCK);
  if (second.byteLength === 0 && relaxed.allows('no-end-mark')) return; // [relax.4] half of it
  if (second.byteLength < TAR_BLOCK) throw cut(start, second.byteLength, undefined, second.byteLength === 0);
  const limit = start + TAR_BLOCK + limits.trailingZeros;
  let offset = start;
  const check = (bytes: Uint8Array): void => {
    const index = bytes.findIndex((byte) => byte !== 0);
    if (index >= 0 && offset + index < limit) {
      throw new BundleError('ARCHIVE_TRAILING', 'the archive goes on after its end mark', {
        where: { offset: offset + index },
      });
    }
    offset += bytes.byteLength;
    if (offset > limit) {
      const message = `more than ${limits.trailingZeros} bytes follow the end mark`;
      throw new BundleError('ARCHIVE_LIMIT', message, { where: { offset: limit } });
    }
  };
  check(second);
  for await (const bytes of cursor.rest()) check(bytes);
  if (offset % TAR_BLOCK !== 0) throw cut(offset - (offset % TAR_BLOCK), offset % TAR_BLOCK);
}

/** `whole`: nothing but the end mark can be missing, and may never have been there. */
function cut(offset: number, got: number, member?: string, whole = false): BundleError {
  const message =
    got === 0 ? 'the archive ends without its end mark' : 'the archive ends in the middle of a block';
  return new BundleError('ARCHIVE_TRUNCATED', message, {
    where: { offset, ...(hasText(member) && { member }) },
    ...(whole && { fix: ['fetch it again and compare sizes', repairOf('no-end-mark')] }),
  });
}
