import { DIGEST_BYTES, type DigestName, isDigestHex } from '../../kit/digest-name.ts';
import { counted, decodeLatin1, decodeUtf8, encodeUtf8, formatHex } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { memberNameFault } from '../member-name.ts';
import { blockCountOf, blockSizeFor } from './block-size.ts';

/** The digests that blocks may have: those that a signer may use today. */
export type BlockAlgorithm = Exclude<DigestName, 'sha1'>;

const ALGORITHMS: readonly BlockAlgorithm[] = ['sha256', 'sha384', 'sha512'];

/** What the digests of blocks are of: a member, by its name, its size, and its digest as the manifest has it. */
export interface BlocksHeader {
  readonly name: string;
  readonly size: number;
  /** of the whole, and of each block */
  readonly algorithm: BlockAlgorithm;
  /** of the whole, lower-case hex */
  readonly digest: string;
  /** bytes of each block; the last one may have fewer */
  readonly blockSize: number;
}

/** The digests of all blocks of a member. */
export interface BlockDigests extends BlocksHeader {
  readonly count: number;
  /** the digest of a block, counted from 0, in lower-case hex */
  blockDigest(block: number): string;
}

const MAGIC = 'bulla-blocks/1\n';
const EXTENSION = '.blocks';
const NEWLINE = 0x0a;

/** The member that holds the digests of the blocks of another. [blocks.1] */
export function blocksNameOf(name: string): string {
  return `${name}${EXTENSION}`;
}

/** The member whose blocks a member of this name speaks of, if it is such a member by its name. [blocks.1] */
export function blocksSubject(name: string): string | undefined {
  return name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : undefined;
}

/** True when these bytes begin as block digests of this version do. */
export function isBlockDigests(bytes: Uint8Array): boolean {
  const magic = encodeUtf8(MAGIC);
  return bytes.byteLength >= magic.byteLength && magic.every((byte, i) => bytes[i] === byte);
}

/** How many bytes the block digests of a member have; they are known before its content is. */
export function blockDigestsSize(subject: Pick<BlocksHeader, 'name' | 'size' | 'algorithm'>): number {
  const digest = '0'.repeat(2 * DIGEST_BYTES[subject.algorithm]);
  const header = headerOf({ ...subject, digest, blockSize: blockSizeFor(subject.size) });
  return header.byteLength + blockCountOf(subject.size) * (digest.length + 1);
}

/**
 * Writes the digests of the blocks of a member.
 *
 * @param digests those of all blocks, one after another, as bytes
 * @see spec/blocks.md, clauses blocks.1 and blocks.2
 */
export function formatBlockDigests(
  subject: Omit<BlocksHeader, 'blockSize'>,
  digests: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(blockDigestsSize(subject));
  const header = headerOf({ ...subject, blockSize: blockSizeFor(subject.size) });
  bytes.set(header);
  const each = DIGEST_BYTES[subject.algorithm];
  if (digests.byteLength !== each * blockCountOf(subject.size))
    throw new RangeError('not a digest for each block');
  for (let at = header.byteLength, i = 0; i < digests.byteLength; i += each) {
    at += encoder.encodeInto(`${formatHex(digests.subarray(i, i + each))}\n`, bytes.subarray(at)).written;
  }
  return bytes;
}

const encoder = new TextEncoder();

/**
 * Parses the digests of blocks; the result keeps `bytes`.
 *
 * It decides about the file alone: whether it fits the manifest and the members is for `verdict/bundle/judge-blocks.ts`.
 *
 * @throws {BundleError} `BLOCKS_SYNTAX`, with the line
 * @see spec/blocks.md, clauses blocks.1 to blocks.3
 */
export function parseBlockDigests(bytes: Uint8Array): BlockDigests {
  if (!isBlockDigests(bytes)) throw syntax('these are no block digests of version 1', 1);
  const start = MAGIC.length;
  const end = bytes.subarray(0, start + HEADER_LIMIT).indexOf(NEWLINE, start);
  const text = end < 0 ? undefined : decodeUtf8(bytes.subarray(start, end));
  const header = text === undefined ? undefined : parseHeader(text);
  if (!header || end < 0) throw syntax('the header of the block digests is damaged', 2);
  const fault = faultOf(header);
  if (fault) throw syntax(`the header of the block digests contradicts itself: ${fault}`, 2);

  const count = blockCountOf(header.size);
  const width = 2 * DIGEST_BYTES[header.algorithm];
  const lines = bytes.subarray(end + 1);
  expectLines(lines, width, count);
  return {
    ...header,
    count,
    blockDigest: (block) => decodeLatin1(lines.subarray(block * (width + 1), block * (width + 1) + width)),
  };
}

/** More than a header with the longest name has. */
const HEADER_LIMIT = 4096;

function headerOf(header: BlocksHeader): Uint8Array {
  return encodeUtf8(`${MAGIC}${canonical(header)}\n`);
}

function canonical({ name, size, algorithm, digest, blockSize }: BlocksHeader): string {
  return JSON.stringify({ name, size, algorithm, digest, blockSize });
}

function parseHeader(text: string): BlocksHeader | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // [blocks.3] One spelling: what two readers could read differently is not read at all.
    const isHeader = typeof value === 'object' && value !== null && canonical(value as BlocksHeader) === text;
    return isHeader ? pick(value as BlocksHeader) : undefined;
  } catch {
    return undefined; // the caller says that it is damaged
  }
}

function pick({ name, size, algorithm, digest, blockSize }: BlocksHeader): BlocksHeader {
  return { name, size, algorithm, digest, blockSize };
}

function faultOf({ name, size, algorithm, digest, blockSize }: BlocksHeader): string | undefined {
  if (typeof name !== 'string') return 'the name is none';
  if (!Number.isSafeInteger(size) || size < 0) return 'the size is none';
  if (!ALGORITHMS.includes(algorithm)) return 'the algorithm is none that is used';
  if (typeof digest !== 'string' || !isDigestHex(digest, algorithm)) return 'the digest is none';
  if (blockSize !== blockSizeFor(size))
    return `blocks of a file of ${counted(size, 'byte')} have ${counted(blockSizeFor(size), 'byte')}`;
  return memberNameFault(name, DEFAULT_LIMITS);
}

/** [blocks.2] A line of lower-case hex for each block, and nothing after them. */
function expectLines(lines: Uint8Array, width: number, count: number): void {
  if (lines.byteLength !== count * (width + 1)) {
    const got = Math.floor(lines.byteLength / (width + 1));
    throw syntax(
      `the file has ${counted(count, 'block')}, and there is not one line for each`,
      3 + Math.min(got, count),
    );
  }
  for (let at = 0, column = 0, line = 0; at < lines.byteLength; at++) {
    const byte = lines[at] ?? 0;
    if (column === width ? byte !== NEWLINE : !isLowerHex(byte))
      throw syntax('the digest of a block is none', 3 + line);
    column = column === width ? 0 : column + 1;
    if (column === 0) line++;
  }
}

function isLowerHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
}

function syntax(message: string, line: number): BundleError {
  return new BundleError('BLOCKS_SYNTAX', message, { where: { line } });
}
