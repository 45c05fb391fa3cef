import { memberNameFault } from '../formats/member-name.ts';
import { headerName, isZeroBlock, OCTAL_LIMIT, parseTarHeader, TAR_BLOCK } from '../formats/tar/header.ts';
import { type PaxRecords, parsePax } from '../formats/tar/pax.ts';
import { ByteCursor } from '../kit/byte-cursor.ts';
import { type ByteStream, copyBytes, isZero } from '../kit/bytes.ts';
import { decodeUtf8, printable } from '../kit/encoding.ts';
import { BundleError, isBundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import type { ArchiveEntry } from './entry.ts';
import { MemberNames } from './member-names.ts';

/**
 * Reads a tar archive in the strict profile: it accepts only what every tar reader reads alike.
 *
 * It decides about framing, names, sizes and limits; it knows nothing of manifests. A loop that ends normally has
 * seen the whole archive up to the end of `source`.
 *
 * @throws {BundleError} `ARCHIVE_*`, each with the byte offset of the header and the member where it is known
 * @see spec/archive.md, clauses tar.1 to tar.9, pax.1 to pax.5, name.1 to name.6
 */
export async function* readTar(source: ByteStream, limits: Limits): AsyncGenerator<ArchiveEntry, void> {
  const cursor = new ByteCursor(source);
  const names = new MemberNames(limits);
  let total = 0;
  try {
    for (;;) {
      const offset = cursor.offset;
      const head = await readHead(cursor, offset, limits);
      if (head === undefined) {
        if (names.count === 0)
          throw new BundleError('ARCHIVE_EMPTY', 'the archive has no members', { where: { offset } });
        await expectEnd(cursor, limits);
        return;
      }
      const { name, size } = head;
      names.add(name, offset);
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
      yield { name, size, offset, dataOffset: cursor.offset, body, takeAll: () => body.takeAll() };
      await body.skipRest();
      await expectPadding(cursor, name, size);
    }
  } finally {
    await cursor.close(); // [arc.4]
  }
}

/** The header of the next member, its pax header applied; undefined at the end-of-archive mark. */
async function readHead(
  cursor: ByteCursor,
  offset: number,
  limits: Limits,
): Promise<{ name: string; size: number } | undefined> {
  let pax: PaxRecords | undefined;
  let member = '';
  try {
    for (;;) {
      const at = cursor.offset; // [arc.3] every refusal below gets a place
      const block = cursor.takeBuffered(TAR_BLOCK) ?? (await cursor.take(TAR_BLOCK));
      if (block.byteLength < TAR_BLOCK) throw cut(at, block.byteLength); // [tar.6]
      if (isZeroBlock(block)) {
        if (pax) throw new BundleError('ARCHIVE_PAX', 'a pax header has no member after it'); // [pax.1]
        return undefined;
      }
      member = pax?.path === undefined ? headerName(block) : printable(pax.path);
      const header = parseTarHeader(block);
      if (header.kind === 'pax') {
        if (pax) throw new BundleError('ARCHIVE_PAX', 'a member has two pax headers'); // [pax.1]
        pax = await readPax(cursor, header.size, limits);
        continue;
      }
      return { name: checkName(header.name, pax?.path, limits), size: sizeOf(header.size, pax?.size) };
    }
  } catch (error) {
    if (!isBundleError(error)) throw error;
    throw error.at({ offset, ...(member ? { member } : {}) });
  }
}

async function readPax(cursor: ByteCursor, size: number, limits: Limits): Promise<PaxRecords> {
  if (size === 0 || size > limits.paxBytes) {
    throw new BundleError('ARCHIVE_PAX', `a pax header of ${size} bytes, outside of 1 to ${limits.paxBytes}`);
  }
  const at = cursor.offset;
  const body = copyBytes(await cursor.take(size));
  if (body.byteLength < size) throw cut(at, body.byteLength);
  await expectPadding(cursor, undefined, size);
  return parsePax(body);
}

/** [name.4] Both names are checked: a reader without pax would use the one in the header. */
function checkName(inHeader: Uint8Array, inPax: string | undefined, limits: Limits): string {
  const name = inPax ?? decodeUtf8(inHeader); // [name.6]
  if (name === undefined) throw new BundleError('ARCHIVE_NAME', 'the name of a member is not UTF-8');
  const fault = memberNameFault(name, limits);
  if (fault) throw new BundleError('ARCHIVE_NAME', `the member "${printable(name)}": ${fault}`);
  const behind = inPax === undefined ? '' : String.fromCharCode(...inHeader); // bytes will do for what is looked for
  if (behind.startsWith('/') || behind.includes('\\') || behind.split('/').includes('..')) {
    throw new BundleError('ARCHIVE_NAME', 'the header behind a pax name has a name that leaves its folder');
  }
  return name;
}

/** [pax.5] The two sizes must agree; one beyond octal may stand in the pax header alone. */
function sizeOf(inHeader: number, inPax: number | undefined): number {
  if (inPax === undefined || inPax === inHeader) return inHeader;
  if (inPax >= OCTAL_LIMIT && (inHeader === 0 || inHeader === OCTAL_LIMIT - 1)) return inPax;
  throw new BundleError(
    'ARCHIVE_SIZE_CONFLICT',
    `the pax header says ${inPax} bytes and the tar header ${inHeader} bytes`,
  );
}

/** [tar.7] Bytes between members belong to no digest, so they must say nothing. */
async function expectPadding(cursor: ByteCursor, member: string | undefined, size: number): Promise<void> {
  const count = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
  if (count === 0) return;
  const at = cursor.offset;
  const padding = cursor.takeBuffered(count) ?? (await cursor.take(count));
  if (padding.byteLength < count) throw cut(at, padding.byteLength, member);
  if (!isZero(padding)) {
    throw new BundleError(
      'ARCHIVE_PADDING',
      'the bytes that fill up a member to a whole block are not zero',
      {
        where: { offset: at, ...(member ? { member } : {}) },
      },
    );
  }
}

/** [tar.8] A second zero block, then nothing but a bounded run of zeros up to the end of the source. */
async function expectEnd(cursor: ByteCursor, limits: Limits): Promise<void> {
  const start = cursor.offset;
  const second = await cursor.take(TAR_BLOCK);
  if (second.byteLength < TAR_BLOCK) throw cut(start, second.byteLength);
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

function cut(offset: number, got: number, member?: string): BundleError {
  const message =
    got === 0 ? 'the archive ends without its end mark' : 'the archive ends in the middle of a block';
  return new BundleError('ARCHIVE_TRUNCATED', message, { where: { offset, ...(member ? { member } : {}) } });
}

/** The content of one member: at most once, from the cursor it shares with the reader. */
class MemberBody implements AsyncIterable<Uint8Array> {
  readonly #cursor: ByteCursor;
  readonly #name: string;
  #left: number;

  constructor(cursor: ByteCursor, name: string, size: number) {
    this.#cursor = cursor;
    this.#name = name;
    this.#left = size;
  }

  takeAll(): Uint8Array | undefined {
    const bytes = this.#cursor.takeBuffered(this.#left);
    if (bytes) this.#left = 0;
    return bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    while (this.#left > 0) {
      const part = await this.#cursor.takeSome(this.#left);
      if (!part) throw this.#cut();
      this.#left -= part.byteLength;
      yield part;
    }
  }

  async skipRest(): Promise<void> {
    if (this.#left === 0) return;
    this.#left -= await this.#cursor.skip(this.#left);
    if (this.#left > 0) throw this.#cut();
  }

  #cut(): BundleError {
    return new BundleError(
      'ARCHIVE_TRUNCATED',
      `the archive ends ${this.#left} bytes before the end of "${this.#name}"`,
      {
        where: { member: this.#name, offset: this.#cursor.offset },
      },
    );
  }
}
